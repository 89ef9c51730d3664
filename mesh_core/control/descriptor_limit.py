"""How many files a process may have open."""

from __future__ import annotations

import contextlib
import resource

_CONTROL_DESCRIPTORS = 64


def raise_descriptor_limit() -> None:
    """Allow as many open files as the hard limit does: every connection takes one or two."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        # A hard limit over fs.nr_open is possible, and cannot be reached.
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def descriptor_limit() -> int:
    """The first descriptor number that traffic may not have: the rest is for the control thread.

    Without it, connections could take the last descriptors, and health checks and reloads would fail.
    """
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if soft == resource.RLIM_INFINITY:
        return 0x7FFFFFFF
    return min(soft - min(_CONTROL_DESCRIPTORS, soft // 8), 0x7FFFFFFF)

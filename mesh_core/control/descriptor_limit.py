"""How many files a process may have open."""

from __future__ import annotations

import contextlib
import resource


def raise_descriptor_limit() -> None:
    """Allow as many open files as the hard limit does: every connection takes one or two."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        # A hard limit over fs.nr_open is possible, and cannot be reached.
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

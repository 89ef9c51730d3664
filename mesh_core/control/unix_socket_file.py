"""The file of a listening Unix socket: whose it is, and when it may be removed. Control thread."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
from dataclasses import dataclass, replace
from pathlib import Path

from mesh_core.config import Address


@dataclass(eq=False)
class UnixSocketFile:
    """The file of a socket that this process has bound; nothing at all for an abstract name."""

    path: Path | None
    inode: int = 0
    mode_at_bind: int = 0
    ours: bool = True
    """Whether this process removes it; not while another one still listens on the socket too."""

    def of_another(self) -> UnixSocketFile:
        """The same file while it belongs to another process."""
        return replace(self, ours=False)

    def change_mode(self, mode: int | None) -> None:
        """Set its permissions; None for what the umask left at first. Raises OSError."""
        if self.path is not None:
            self.path.chmod(self.mode_at_bind if mode is None else mode)

    def remove(self) -> None:
        """Remove it, if it is still ours."""
        with contextlib.suppress(OSError):
            if self.ours and self.path is not None and self.path.stat().st_ino == self.inode:
                self.path.unlink()


def bind_unix_socket(address: Address, mode: int | None) -> tuple[socket.socket, UnixSocketFile]:
    """A bound socket that does not listen yet, so that nobody connects before its permissions are set.

    Takes the place of a file that a killed process left. Raises OSError, with EADDRINUSE when somebody listens there
    or when it is another kind of file.
    """
    path = None if address.is_abstract else Path(address.path)
    if path is not None:
        _remove_stale(path)
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    file = UnixSocketFile(None)
    try:
        bound.bind(address.sockaddr())
        if path is not None:
            status = path.stat()
            file = UnixSocketFile(path, status.st_ino, stat.S_IMODE(status.st_mode))
            if mode is not None:
                file.change_mode(mode)
    except OSError:
        bound.close()
        file.remove()
        raise
    return bound, file


def _remove_stale(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    in_use = OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
    if not stat.S_ISSOCK(mode):
        raise in_use
    # A process that hangs with a full backlog would hold up a connect that waits.
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as probe:
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except BlockingIOError:
            pass
    raise in_use

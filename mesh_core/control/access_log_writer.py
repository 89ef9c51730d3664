"""Writes access records to their file, from a thread of its own: a slow disk or a full pipe stops only this."""

from __future__ import annotations

import contextlib
import os
import queue
import select
import stat
import threading

import structlog

from mesh_core.config import ConfigError, Fault
from mesh_core.config.escape import escaped

# Bytes that may wait for a slow file; what comes beyond them is dropped and counted.
PENDING_LIMIT_BYTES = 16 * 1024 * 1024

log = structlog.get_logger("hopmesh")


class AccessLogWriter:
    """One access log. Made, fed and closed on the control thread."""

    def __init__(self, path: str, name: str) -> None:
        """Open `path` for appending. Raises ConfigError (with the configuration's `name`) when that fails."""
        self.path = path
        self.bytes_dropped = 0
        self._descriptor = _open(path, name)
        self._pending_bytes = 0
        self._lock = threading.Lock()
        self._reopening = False
        self._torn = False
        self._chunks: queue.SimpleQueue[bytes | int | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="access-log", daemon=True)
        self._thread.start()

    def write(self, lines: bytes) -> None:
        """Append whole lines, soon. Never waits."""
        with self._lock:
            if self._pending_bytes + len(lines) > PENDING_LIMIT_BYTES:
                self.bytes_dropped += len(lines)
                return
            self._pending_bytes += len(lines)
        self._chunks.put(lines)

    def reopen(self) -> None:
        """Go on in a new file of the same name, after the old one was moved away. Raises OSError."""
        with self._lock:
            if self._reopening:
                return
            self._reopening = True
        try:
            self._chunks.put(_open_descriptor(self.path))
        except OSError:
            self._reopening = False
            raise

    def close(self, patience_s: float = 2.0) -> None:
        """Write what waits and close; what the file has not taken after `patience_s` seconds is lost."""
        self._chunks.put(None)
        self._thread.join(patience_s)
        if self._thread.is_alive():
            with self._lock:
                log.warning("access log not written to its end", path=self.path, bytes_lost=self._pending_bytes)

    def _run(self) -> None:
        while (chunk := self._chunks.get()) is not None:
            if isinstance(chunk, int):
                _close(self._descriptor)
                self._descriptor, self._torn, self._reopening = chunk, False, False
                continue
            self._write(chunk)
            with self._lock:
                self._pending_bytes -= len(chunk)
        _close(self._descriptor)

    def _write(self, chunk: bytes) -> None:
        # What follows a line that was cut begins on a line of its own.
        rest = memoryview(b"\n" + chunk if self._torn else chunk)
        self._torn = False
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:
                # A standard output that whoever started the process has made so.
                poller = select.poll()
                poller.register(self._descriptor, select.POLLOUT)
                poller.poll()
            except OSError:
                self._torn = len(rest) < len(chunk)
                with self._lock:
                    self.bytes_dropped += len(rest)
                return


def _close(descriptor: int) -> None:
    # A file that fails at last has failed at its writes too, and those were counted.
    with contextlib.suppress(OSError):
        os.close(descriptor)


# Opened by their paths they would not do when they are sockets, as a service manager's are, or another user's.
_STANDARD = {"/dev/stdout": 1, "/dev/stderr": 2}


def _open_descriptor(path: str) -> int:
    if path in _STANDARD:
        return os.dup(_STANDARD[path])
    flags = os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    try:
        is_pipe = stat.S_ISFIFO(os.stat(path).st_mode)  # noqa: PTH116 - the path is a configuration's text
    except FileNotFoundError:
        is_pipe = False
    # To open a named pipe for writing alone waits until there is a reader.
    return os.open(path, flags | (os.O_RDWR if is_pipe else os.O_WRONLY), 0o640)


def _open(path: str, name: str) -> int:
    try:
        return _open_descriptor(path)
    except (OSError, ValueError) as error:
        # ValueError: a NUL character, or one that no file name can have.
        reason = error.strerror if isinstance(error, OSError) else error
        message = escaped(f"cannot open {path} for appending: {reason}")
        hint = "the directory must exist and the file be writable for the user that hopmesh runs as"
        raise ConfigError(name, (Fault("access_log.path", None, None, message, hint),)) from error

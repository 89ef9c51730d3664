"""Writes access records to their file, from a thread of its own: a slow disk or a full pipe stops only this."""

from __future__ import annotations

import os
import queue
import threading

from mesh_core.config import ConfigError, Fault

# Bytes that may wait for a slow file; what comes beyond them is dropped and counted.
PENDING_LIMIT_BYTES = 16 * 1024 * 1024


class AccessLogWriter:
    """One access log. Made, fed and closed on the control thread."""

    def __init__(self, path: str, name: str) -> None:
        """Open `path` for appending. Raises ConfigError (with the configuration's `name`) when that fails."""
        self.path = path
        self.bytes_dropped = 0
        self._descriptor = _open(path, name)
        self._pending_bytes = 0
        self._lock = threading.Lock()
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
        self._chunks.put(os.open(self.path, _FLAGS, 0o640))

    def close(self, patience_s: float = 2.0) -> None:
        """Write what waits and close; gives up on a file that takes nothing for `patience_s` seconds."""
        self._chunks.put(None)
        self._thread.join(patience_s)

    def _run(self) -> None:
        while (chunk := self._chunks.get()) is not None:
            if isinstance(chunk, int):
                os.close(self._descriptor)
                self._descriptor = chunk
                continue
            self._write(chunk)
            with self._lock:
                self._pending_bytes -= len(chunk)
        os.close(self._descriptor)

    def _write(self, chunk: bytes) -> None:
        rest = memoryview(chunk)
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except OSError:
                with self._lock:
                    self.bytes_dropped += len(rest)
                return


_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC


def _open(path: str, name: str) -> int:
    try:
        return os.open(path, _FLAGS, 0o640)
    except OSError as error:
        message = f"cannot open {path} for appending: {error.strerror}"
        hint = "the directory must exist and the file be writable for the user that hopmesh runs as"
        raise ConfigError(name, (Fault("access_log.path", None, None, message, hint),)) from error

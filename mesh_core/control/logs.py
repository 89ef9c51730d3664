"""The process log: structlog, for people on a terminal and as JSON lines elsewhere. Control thread only."""

from __future__ import annotations

import io
import logging
import os
import select
import sys
from typing import Any, TextIO, cast

import orjson
import structlog

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

_level = logging.INFO


def configure(level: str = "info", stream: TextIO | None = None) -> None:
    """Log to `stream` (default: standard error) from `level` on: a key of LEVELS."""
    out = sys.stderr if stream is None else stream
    set_level(level)
    processors: list[Any] = [
        _below_level,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    if out.isatty():
        processors.append(structlog.dev.ConsoleRenderer())
    else:
        processors.append(structlog.processors.JSONRenderer(serializer=_json))
    structlog.configure(
        processors=processors,
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, _Lossy(out))),
        cache_logger_on_first_use=False,
    )


class _Lossy(io.TextIOBase):
    """A stream for lines that it is better to lose than to stop for.

    The reader of a pipe may be gone, or may have stopped reading: neither must end the process, nor hold up its
    signals.
    """

    PATIENCE_MS = 200

    def __init__(self, out: TextIO) -> None:
        self._out = out
        try:
            self._descriptor = out.fileno()
        except OSError:
            self._descriptor = -1
        self._patience_ms = self.PATIENCE_MS

    def write(self, text: str) -> int:
        if self._descriptor < 0:
            return self._out.write(text)
        # Not by way of the stream: what its buffer cannot get rid of makes the interpreter exit with a code of its
        # own.
        rest = memoryview(text.encode("utf-8", "backslashreplace"))
        poller = select.poll()
        poller.register(self._descriptor, select.POLLOUT)
        try:
            while rest:
                # A pipe is writable when it takes PIPE_BUF bytes without waiting.
                if not poller.poll(self._patience_ms):
                    self._patience_ms = 0
                    break
                rest = rest[os.write(self._descriptor, rest[: select.PIPE_BUF]) :]
                self._patience_ms = self.PATIENCE_MS
        except OSError:
            pass
        return len(text)


def set_level(level: str) -> None:
    """Log from `level` on, at once. Raises KeyError for what is not a key of LEVELS."""
    global _level  # noqa: PLW0603 - the level is the process's
    _level = LEVELS[level]


def current_level() -> str:
    """The level that is logged from."""
    return next(name for name, value in LEVELS.items() if value == _level)


def _below_level(_logger: Any, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    if LEVELS.get(method, logging.INFO) < _level:
        raise structlog.DropEvent
    return event


def _json(event: Any, **_: Any) -> str:
    return orjson.dumps(event, default=str).decode()

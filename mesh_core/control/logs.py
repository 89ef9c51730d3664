"""The process log: structlog, for people on a terminal and as JSON lines elsewhere. Control thread only."""

from __future__ import annotations

import logging
import sys
from typing import Any, TextIO

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
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )


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

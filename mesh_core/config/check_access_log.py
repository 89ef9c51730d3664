"""Whether the formats of the access log can be written."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from mesh_core.config.access_log_format import (
    EXTRA_FIELD_LIMIT,
    OPERATORS,
    PIECE_LIMIT,
    FormatError,
    Operator,
    extra_fields,
    parse_format,
)
from mesh_core.config.faults import Hint, PathStep, Report
from mesh_core.config.schema import AccessLog
from mesh_core.config.wording import did_you_mean


def check_access_log(settings: AccessLog, report: Report) -> None:
    """Report what is wrong with `access_log`."""
    for key, wanted in (("text_format", "text"), ("json_format", "json")):
        if getattr(settings, key) is not None and settings.format in ("json", "text") and settings.format != wanted:
            hint = f"write format: {wanted}, or remove it"
            report(["access_log", key], f"goes with format: {wanted}, and this is {settings.format}", hint)
    parts = [part for path, text in _formats(settings) for part in _parse(path, text, report)]
    fields = extra_fields(parts)
    if len(fields) > EXTRA_FIELD_LIMIT:
        message = f"asks for {len(fields)} header fields beside those that every record has"
        report(["access_log"], message, f"ask for at most {EXTRA_FIELD_LIMIT}")
    pieces = sum(isinstance(part, Operator) for part in parts)
    pieces += len(settings.json_format) if isinstance(settings.json_format, dict) else 0
    if pieces > PIECE_LIMIT:
        report(["access_log"], f"a line of {pieces} operators and keys", f"use at most {PIECE_LIMIT}")


def _formats(settings: AccessLog) -> Iterator[tuple[list[PathStep], str]]:
    if isinstance(settings.text_format, str):
        yield ["access_log", "text_format"], settings.text_format
    if isinstance(settings.json_format, dict):
        for key, text in settings.json_format.items():
            if isinstance(key, str) and isinstance(text, str):
                yield ["access_log", "json_format", key], text


def _parse(path: list[PathStep], text: str, report: Report) -> list[str | Operator]:
    try:
        return parse_format(text)
    except FormatError as error:
        hint: Hint = error.hint
        if error.name is not None:
            known = [*sorted(OPERATORS), "REQ", "RESP"]
            hint = partial(did_you_mean, error.name, known, "the operators are in docs/access-log.md, among them")
        report(path, error.message, hint)
        return []

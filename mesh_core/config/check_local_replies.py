"""What must hold within the local replies of HTTP settings."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from mesh_core.config.access_log_format import LOCAL_REPLY_OPERATORS, FormatError, parse_format
from mesh_core.config.check_header_modifier import check_header_modifier
from mesh_core.config.faults import Hint, PathStep, Report
from mesh_core.config.schema import LocalReply
from mesh_core.config.wording import did_you_mean, quoted
from mesh_core.telemetry.response_flags import DETAILS, FLAGS

_MOST = 64
_WITHOUT_BODY = (204, 205, 304)


def check_local_replies(path: list[PathStep], replies: object, report: Report) -> None:
    """Report everything in a list of LocalReply that cannot work."""
    if not isinstance(replies, tuple):
        return
    if len(replies) > _MOST:
        report(path, f"more than {_MOST}", "remove some")
    for place, reply in enumerate(replies):
        if isinstance(reply, LocalReply):
            _check([*path, place], reply, report)


def _check(path: list[PathStep], reply: LocalReply, report: Report) -> None:
    _check_names([*path, "flags"], reply.flags, FLAGS, "response flag", report)
    _check_names([*path, "details"], reply.details, DETAILS, "detail", report)
    if reply.status in _WITHOUT_BODY:
        report([*path, "status"], f"an answer with {reply.status} has no body", "an error says what it is about")
    if isinstance(reply.body, str):
        _check_body([*path, "body"], reply.body, report)
    elif reply.body is None and reply.content_type is not None:
        report([*path, "content_type"], "of use with body only", "remove it, or write body")
    check_header_modifier([*path, "headers"], reply.headers, report)
    if reply.status is None and reply.body is None and reply.headers is None:
        report(path, "changes nothing", "add status, body or headers, or remove it")


def _check_names(path: list[PathStep], names: object, known: Mapping[str, int], what: str, report: Report) -> None:
    for place, name in enumerate(names if isinstance(names, tuple) else ()):
        if isinstance(name, str) and name not in known:
            hint = partial(did_you_mean, name, list(known), "they are in docs/http.md, among them")
            report([*path, place], f"no {what} {quoted(name)}", hint)


def _check_body(path: list[PathStep], body: str, report: Report) -> None:
    try:
        parse_format(body, LOCAL_REPLY_OPERATORS)
    except FormatError as error:
        hint: Hint = error.hint
        if error.name is not None:
            hint = partial(did_you_mean, error.name, sorted(LOCAL_REPLY_OPERATORS), "the operators of a body are")
        report(path, error.message, hint)

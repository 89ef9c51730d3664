"""Formats of access log lines: Envoy's command operators, taken apart and judged.

Source: Envoy, "Access logging". `%OPERATOR%`, `%REQ(X?Y):Z%`, `%RESP(X?Y):Z%`; `%%` is a percent sign.
"""

from __future__ import annotations

import re
from typing import NamedTuple

PIECE_LIMIT = 256
"""Operators and keys of one line."""

EXTRA_FIELD_LIMIT = 32
"""Header fields that a format may ask for, beside those that every record has."""

VALUE_LIMIT = 256
"""Bytes of a header field's value that are kept; a path's are 1024."""

# Operators without parameters, each as it is known to mesh_core.telemetry.access_log.
OPERATORS = frozenset((
    "START_TIME", "PROTOCOL", "RESPONSE_CODE", "RESPONSE_CODE_DETAILS", "CONNECTION_TERMINATION_DETAILS",
    "RESPONSE_FLAGS", "BYTES_RECEIVED", "BYTES_SENT", "DOWNSTREAM_HEADER_BYTES_RECEIVED",
    "DOWNSTREAM_HEADER_BYTES_SENT", "DURATION", "REQUEST_DURATION", "REQUEST_TX_DURATION", "RESPONSE_DURATION",
    "RESPONSE_TX_DURATION", "CONNECTION_ID", "LISTENER_NAME", "ROUTE_NAME", "VIRTUAL_HOST_NAME",
    "REQUESTED_SERVER_NAME", "UPSTREAM_HOST", "UPSTREAM_CLUSTER", "UPSTREAM_LOCAL_ADDRESS",
    "UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", "UPSTREAM_LOCAL_PORT", "UPSTREAM_REQUEST_ATTEMPT_COUNT",
    "UPSTREAM_CONNECT_TIME", "UPSTREAM_SERVICE_TIME", "UPSTREAM_TRANSPORT_FAILURE_REASON",
    "DOWNSTREAM_REMOTE_ADDRESS", "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", "DOWNSTREAM_REMOTE_PORT",
    "DOWNSTREAM_LOCAL_ADDRESS", "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", "DOWNSTREAM_LOCAL_PORT",
    "DOWNSTREAM_TRANSPORT_FAILURE_REASON", "DOWNSTREAM_TLS_VERSION", "DOWNSTREAM_TLS_CIPHER",
    "DOWNSTREAM_PEER_URI_SAN", "UPSTREAM_TLS_VERSION", "UPSTREAM_TLS_CIPHER", "UPSTREAM_PEER_URI_SAN", "HOSTNAME",
    "TRACE_ID", "SPAN_ID", "TRACE_SAMPLED",
))

# Those that the body of a local reply may have.
LOCAL_REPLY_OPERATORS = frozenset((
    "RESPONSE_CODE", "RESPONSE_CODE_DETAILS", "RESPONSE_FLAGS", "CONNECTION_ID", "LOCAL_REPLY_BODY",
))

# What is a header field for Envoy, and has an operator of its own here, or a text that every record has.
_REQUEST_TEXTS = {
    ":method": "METHOD",
    ":path": "PATH",
    "x-envoy-original-path": "PATH",
    ":authority": "AUTHORITY",
    "host": "AUTHORITY",
    "user-agent": "USER_AGENT",
    "x-request-id": "REQUEST_ID",
    "x-forwarded-for": "X_FORWARDED_FOR",
}
_RESPONSE_OPERATORS = {":status": "RESPONSE_CODE", "x-envoy-upstream-service-time": "UPSTREAM_SERVICE_TIME"}

REQUEST_TEXTS = frozenset(_REQUEST_TEXTS.values())
"""Operators that stand for a request's field which every record has."""

_OPERATOR = re.compile(r"([A-Z_0-9]*)(?:\(([^)%]*)\))?(?::([0-9]+))?%")
_FIELD = re.compile(r"[A-Za-z0-9!#$&'*+.^_`|~-]+|:(?:method|path|authority|status)", re.IGNORECASE)


class FormatError(ValueError):
    """A format that is not understood. `hint` says what would be right; `name`: an operator that does not exist."""

    def __init__(self, message: str, hint: str | None = None, name: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.name = name


class Operator(NamedTuple):
    """One value of a line.

    `name` is one of OPERATORS or REQUEST_TEXTS, or "REQ" or "RESP" with `field`, a header field in lower case. The
    value is that of `alternate` where this one is absent, and is cut after `limit` bytes.
    """

    name: str
    field: str = ""
    limit: int = 0
    alternate: Operator | None = None


def parse_format(text: str, known: frozenset[str] | None = None) -> list[str | Operator]:
    """The literal texts and operators of a format, in order. `known`: what operators it may have; by default those of
    the access log. Raises FormatError."""
    parts: list[str | Operator] = []
    literal, at = "", 0
    while (percent := text.find("%", at)) >= 0:
        literal += text[at:percent]
        if text.startswith("%", percent + 1):
            literal, at = literal + "%", percent + 2
            continue
        match = _OPERATOR.match(text, percent + 1)
        if match is None:
            shown = text[percent : percent + 24]
            raise FormatError(
                f"cannot read the operator at character {percent + 1}: {shown!r}",
                "write %OPERATOR%, %REQ(NAME)% or %REQ(NAME?OTHER):LENGTH%, and %% for a percent sign",
            )
        if literal:
            parts.append(literal)
        parts.append(_operator(match, known))
        literal, at = "", match.end()
    literal += text[at:]
    return [*parts, literal] if literal else parts


def _operator(match: re.Match[str], known: frozenset[str] | None) -> Operator:
    name, parameters, length = match.groups()
    if known is None and name in ("REQ", "RESP"):
        return _field_operator(name, parameters, length)
    if name not in (OPERATORS if known is None else known):
        raise FormatError(f"no operator %{name}%", name=name)
    if parameters is not None or length is not None:
        raise FormatError(f"%{name}% takes neither parameters nor a length", f"write %{name}%")
    return Operator(name)


def _field_operator(name: str, parameters: str | None, length: str | None) -> Operator:
    limit = VALUE_LIMIT
    fields = [] if parameters is None else parameters.split("?")
    if not 1 <= len(fields) <= 2 or not all(_FIELD.fullmatch(field) for field in fields):
        raise FormatError(
            f"%{name}({parameters or ''})% does not name a header field",
            f"write %{name}(NAME)%, or %{name}(NAME?OTHER)% for another where the first is absent",
        )
    if length is not None:
        limit = int(length[:6])
        if not 1 <= limit <= VALUE_LIMIT:
            raise FormatError(f"a length of {length[:6]} in %{name}({parameters})%", f"use 1 to {VALUE_LIMIT} bytes")
    first, *others = (_field(name, field.lower(), limit, length is not None) for field in fields)
    return first._replace(alternate=others[0]) if others and others[0] != first else first


def _field(name: str, field: str, limit: int, limited: bool) -> Operator:
    operator = (_REQUEST_TEXTS if name == "REQ" else _RESPONSE_OPERATORS).get(field)
    if operator is not None:
        return Operator(operator, limit=limit if limited else 0)
    if field.startswith(":"):
        raise FormatError(
            f"%{name}({field.upper()})%: there is no such field",
            "use :METHOD, :PATH or :AUTHORITY of requests, :STATUS of responses",
        )
    return Operator(name, field, limit)


def extra_fields(parts: list[str | Operator]) -> set[tuple[str, str]]:
    """The header fields that `parts` ask for beside those that every record has: "REQ" or "RESP", and the name."""
    operators = [part for part in parts if isinstance(part, Operator)]
    operators += [part.alternate for part in operators if part.alternate is not None]
    return {(each.name, each.field) for each in operators if each.field}

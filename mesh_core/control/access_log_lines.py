"""From the access log's configuration to the pieces of its lines, and to what workers keep of heads for them."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable, Mapping

from mesh_core.config import AccessLog, Config
from mesh_core.config.access_log_format import Operator, parse_format
from mesh_core.telemetry.access_log import AccessFormat, Piece

# Envoy's default format string ("Access logging", default format string), with a line's end.
DEFAULT_TEXT = (
    '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% '
    "%RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "
    '"%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"\n'
)

# What JSON says of a request unless another format is configured: Istio's default, and the keys that only appear when
# there is a value (None as format: the key in capitals).
_REQUEST_JSON = {
    "start_time": "%START_TIME%",
    "method": "%REQ(:METHOD)%",
    "path": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
    "protocol": "%PROTOCOL%",
    "response_code": "%RESPONSE_CODE%",
    "response_flags": "%RESPONSE_FLAGS%",
    "response_code_details": "%RESPONSE_CODE_DETAILS%",
    "connection_termination_details": "%CONNECTION_TERMINATION_DETAILS%",
    "upstream_transport_failure_reason": "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
    "bytes_received": "%BYTES_RECEIVED%",
    "bytes_sent": "%BYTES_SENT%",
    "duration": "%DURATION%",
    "upstream_service_time": "%UPSTREAM_SERVICE_TIME%",
    "x_forwarded_for": "%REQ(X-FORWARDED-FOR)%",
    "user_agent": "%REQ(USER-AGENT)%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "authority": "%REQ(:AUTHORITY)%",
    "upstream_host": "%UPSTREAM_HOST%",
    "upstream_cluster": "%UPSTREAM_CLUSTER%",
    "upstream_local_address": "%UPSTREAM_LOCAL_ADDRESS%",
    "downstream_local_address": "%DOWNSTREAM_LOCAL_ADDRESS%",
    "downstream_remote_address": "%DOWNSTREAM_REMOTE_ADDRESS%",
    "requested_server_name": "%REQUESTED_SERVER_NAME%",
    "route_name": "%ROUTE_NAME%",
}

# And of a connection of a listener that speaks no HTTP.
_CONNECTION_JSON = {
    "start_time": "%START_TIME%",
    "connection_id": "%CONNECTION_ID%",
    "duration": "%DURATION%",
    "bytes_received": "%BYTES_RECEIVED%",
    "bytes_sent": "%BYTES_SENT%",
    "response_flags": "%RESPONSE_FLAGS%",
    "connection_termination_details": "%CONNECTION_TERMINATION_DETAILS%",
    "listener": "%LISTENER_NAME%",
    "downstream_remote_address": "%DOWNSTREAM_REMOTE_ADDRESS%",
    "downstream_local_address": "%DOWNSTREAM_LOCAL_ADDRESS%",
    "upstream_cluster": "%UPSTREAM_CLUSTER%",
    "upstream_host": "%UPSTREAM_HOST%",
    "upstream_local_address": "%UPSTREAM_LOCAL_ADDRESS%",
    "upstream_request_attempt_count": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
    "upstream_connect_time": "%UPSTREAM_CONNECT_TIME%",
    "upstream_transport_failure_reason": "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
}

# Of both, keys that are left out where there is nothing to say.
_TLS_JSON = {
    "requested_server_name": "%REQUESTED_SERVER_NAME%",
    "downstream_tls_version": "%DOWNSTREAM_TLS_VERSION%",
    "downstream_tls_cipher": "%DOWNSTREAM_TLS_CIPHER%",
    "downstream_peer_identity": "%DOWNSTREAM_PEER_URI_SAN%",
    "downstream_transport_failure_reason": "%DOWNSTREAM_TRANSPORT_FAILURE_REASON%",
    "upstream_tls_version": "%UPSTREAM_TLS_VERSION%",
    "upstream_tls_cipher": "%UPSTREAM_TLS_CIPHER%",
    "upstream_peer_identity": "%UPSTREAM_PEER_URI_SAN%",
}

# Of requests only, so too.
_TRACE_JSON = {"trace_id": "%TRACE_ID%", "span_id": "%SPAN_ID%", "trace_sampled": "%TRACE_SAMPLED%"}


TOLD_EACH_S = 20


def told_each_s(config: Config) -> int:
    """How many records a second the control plane is told of."""
    if config.control_plane is None:
        return 0
    wanted = config.control_plane.access_records_per_second
    if wanted is None:
        return TOLD_EACH_S if config.access_log is not None else 0
    return wanted


def recorded(config: Config) -> AccessLog | None:
    """How records are written, if there are any: as the access log says, or by default for the control plane alone."""
    if config.access_log is None and told_each_s(config):
        return AccessLog(path="/dev/null")
    return config.access_log


def access_format(settings: AccessLog) -> AccessFormat:
    """How lines are written by `settings`, whose formats have been checked. Raises MemoryError."""
    return AccessFormat(_connection_pieces(settings), request_pieces(settings))


def request_pieces(settings: AccessLog) -> list[Piece]:
    """The pieces of a request's line."""
    if settings.format == "text":
        return _text_pieces(settings.text_format or DEFAULT_TEXT)
    if settings.json_format is not None:
        return _json_pieces(settings.json_format)
    return _json_pieces(_REQUEST_JSON, _TLS_JSON | _TRACE_JSON)


def _connection_pieces(settings: AccessLog) -> list[Piece]:
    if settings.format == "text":
        return _text_pieces(settings.text_format or DEFAULT_TEXT)
    if settings.json_format is not None:
        return _json_pieces(settings.json_format)
    return _json_pieces(_CONNECTION_JSON, _TLS_JSON)


def captured(pieces: Iterable[Piece]) -> list[Piece]:
    """The pieces, and those that stand in for them, that tell something of a request's or a response's head."""
    return [each for piece in pieces for each in (piece, piece.alternate) if each is not None and each.operator]


def _text_pieces(text: str) -> list[Piece]:
    return _pieces("", parse_format(text if text.endswith("\n") else text + "\n"), "", "text")


def _json_pieces(fields: Mapping[str, str], optional: Mapping[str, str] | None = None) -> list[Piece]:
    pieces: list[Piece] = []
    for key, text in fields.items():
        lead = f"{',' if pieces else '{'}{_quoted(key)}:"
        parts = parse_format(text)
        if len(parts) == 1 and isinstance(parts[0], Operator):
            pieces += _pieces(lead, parts, "", "json_value")
        else:
            pieces += _pieces(lead + '"', parts, '"', "json_part")
    for key, text in (optional or {}).items():
        if key not in fields:
            (piece,) = _pieces(f",{_quoted(key)}:", parse_format(text), "", "json_value")
            pieces.append(piece._replace(optional=True))
    return [*pieces, _literal("}\n" if pieces else "{}\n")]


def _pieces(lead: str, parts: list[str | Operator], trail: str, style: str) -> list[Piece]:
    """`parts` between two literal texts."""
    pieces: list[Piece] = []
    literal = lead
    for part in parts:
        if isinstance(part, str):
            literal += part if style == "text" else _quoted(part)[1:-1]
        elif part.name == "HOSTNAME":
            host = socket.gethostname()
            literal += {"text": host, "json_part": _quoted(host)[1:-1], "json_value": _quoted(host)}[style]
        else:
            pieces.append(_piece(literal, part, style))
            literal = ""
    return [*pieces, _literal(literal + trail)] if literal + trail else pieces


def _piece(literal: str, operator: Operator, style: str) -> Piece:
    alternate = None if operator.alternate is None else _piece("", operator.alternate, style)
    return Piece(literal.encode(), operator.name, style, operator.field, operator.limit, False, alternate)


def _literal(text: str) -> Piece:
    return Piece(text.encode(), "", "text")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)

"""Active health checks by HTTP/1.1: one request and the judgement of its answer. The codec is h11's.

The endpoint is not trusted: a head has a bound, so have interim answers, and of a body no more is read than is looked
at.
"""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

import h11

from mesh_core.config import Address, Cluster, HealthCheck, HttpHealthCheck
from mesh_core.config.host_name import shared_host_name
from mesh_core.config.schema import ClusterTls
from mesh_core.control.upstream_health.health_check_answer import (
    ANSWER_BYTES,
    ProbeError,
    answers,
    payload_bytes,
)
from mesh_core.control.upstream_health.health_check_stream import Stream

# An answer's head may be as long as those of requests that are served.
_HEAD_BYTES = 65536
_INTERIM_MOST = 16
_PORTS = {True: 443, False: 80}
# An endpoint that has this in its answer wants no more requests (Envoy's health check filter sends it).
_FAIL_AT_ONCE = b"x-envoy-immediate-health-check-fail"


class HttpExchange:
    """A connection that carries one check after the other. `close` must be called."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._codec = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEAD_BYTES)
        self._heard = False

    def close(self) -> None:
        """Close the connection; again is allowed."""
        self._stream.close()

    async def check(self, address: Address, cluster: Cluster, rules: HealthCheck) -> bool:
        """One check; whether the connection may carry another. Raises ProbeError, OSError, ssl.SSLError."""
        assert rules.http is not None
        try:
            return await self._check(address, cluster, rules, rules.http)
        except h11.RemoteProtocolError as error:
            raise ProbeError(f"malformed answer: {error}", network=False) from error

    async def _check(self, address: Address, cluster: Cluster, rules: HealthCheck, http: HttpHealthCheck) -> bool:
        self._heard = False
        headers = request_headers(http, host_of(address, cluster, http))
        request = h11.Request(method=http.method, target=http.path, headers=headers)
        await self._stream.send((self._codec.send(request) or b"") + (self._codec.send(h11.EndOfMessage()) or b""))
        response = await self._response()
        judge_head(response, http)
        await self._judge_body([payload_bytes(each) for each in rules.receive], reuse=http.reuse_connection)
        if not http.reuse_connection or {self._codec.our_state, self._codec.their_state} != {h11.DONE}:
            return False
        self._codec.start_next_cycle()
        return True

    async def _next(self) -> object:
        while (event := self._codec.next_event()) is h11.NEED_DATA:
            data = await self._stream.receive(_HEAD_BYTES)
            if not data and not self._heard:
                raise ProbeError("closed without an answer", network=True)
            self._heard = True
            self._codec.receive_data(data)
        return event

    async def _response(self) -> h11.Response:
        for _ in range(_INTERIM_MOST):
            event = await self._next()
            if isinstance(event, h11.Response):
                return event
        raise ProbeError("too many interim answers", network=False)

    async def _judge_body(self, wanted: list[bytes], *, reuse: bool) -> None:
        body = bytearray()
        while (wanted and not answers(body, wanted)) or reuse:
            event = await self._next()
            if isinstance(event, h11.Data):
                body += event.data
            if not isinstance(event, h11.Data) or len(body) > ANSWER_BYTES:
                break
        if not answers(body[:ANSWER_BYTES], wanted):
            raise ProbeError("the answer is not the expected one", network=False)


def host_of(address: Address, cluster: Cluster, http: HttpHealthCheck) -> str:
    """The Host header of checks of an endpoint."""
    if http.host is not None:
        return http.host
    tls = cluster.tls
    name = (tls.server_name if isinstance(tls, ClusterTls) else None) or shared_host_name(cluster)
    if name is None:
        return "localhost" if address.path else str(address)
    return name if address.path or address.port == _PORTS[tls is not None] else f"{name}:{address.port}"


def request_headers(http: HttpHealthCheck, host: str) -> list[tuple[str, str]]:
    """All headers of the request."""
    headers = [("Host", host), *http.request_headers.items()]
    if "user-agent" not in {name.lower() for name in http.request_headers}:
        headers.append(("User-Agent", "hopmesh-health-check"))
    if http.method in ("POST", "PUT"):
        headers.append(("Content-Length", "0"))
    if not http.reuse_connection:
        headers.append(("Connection", "close"))
    return headers


def judge_head(response: h11.Response, http: HttpHealthCheck) -> None:
    """Raise ProbeError unless the answer's head is that of a healthy endpoint."""
    headers = dict(response.headers)
    if _FAIL_AT_ONCE in headers:
        raise ProbeError("it asks to be taken out", network=False, final=True)
    if not is_expected(response.status_code, http):
        raise ProbeError(
            f"status {response.status_code}",
            network=False,
            retry_after_s=retry_after_s(headers.get(b"retry-after", b""), time.time()),
        )


def is_expected(status: int, http: HttpHealthCheck) -> bool:
    """Whether a status is among those that are good."""
    for each in http.expected_statuses:
        first, _, last = each.partition("-") if isinstance(each, str) else (each, "", each)
        if int(first) <= status <= int(last):
            return True
    return False


def retry_after_s(value: bytes, now_s: float) -> int:
    """Seconds that a Retry-After field asks for (RFC 9110, section 10.2.3); 0 when it is absent, or says nothing.

    `now_s`: since the Unix epoch.
    """
    text = value.decode("latin-1").strip()
    if text.isascii() and text.isdigit():
        return int(text[:10])
    try:
        return max(0, int(parsedate_to_datetime(text).timestamp() - now_s))
    except (ValueError, OverflowError):
        return 0

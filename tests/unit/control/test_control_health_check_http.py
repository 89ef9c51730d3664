"""What a check by HTTP asks, and how it judges a head."""

from __future__ import annotations

from typing import Any

import h11
import pytest

from mesh_core.config import Address, Cluster, ClusterTls, HttpHealthCheck, parse_address
from mesh_core.control.upstream_health.health_check_answer import ProbeError
from mesh_core.control.upstream_health.health_check_http import (
    host_of,
    is_expected,
    judge_head,
    request_headers,
    retry_after_s,
)

TLS = ClusterTls(trusted_ca="ca.pem", server_name="tls.name")
PLAIN_TLS = ClusterTls(trusted_ca="ca.pem")


@pytest.mark.parametrize(
    ("endpoints", "address", "tls", "host", "result"),
    [
        (["10.0.0.1:8080"], "10.0.0.1:8080", None, None, "10.0.0.1:8080"),
        (["[::1]:80"], "[::1]:80", None, None, "[::1]:80"),
        (["unix:/run/a.sock"], "unix:/run/a.sock", None, None, "localhost"),
        (["app.local:8080"], "10.0.0.1:8080", None, None, "app.local:8080"),
        (["app.local:80"], "10.0.0.1:80", None, None, "app.local"),
        (["app.local:443"], "10.0.0.1:443", None, None, "app.local:443"),
        (["app.local:443"], "10.0.0.1:443", PLAIN_TLS, None, "app.local"),
        (["10.0.0.1:443"], "10.0.0.1:443", TLS, None, "tls.name"),
        (["10.0.0.1:80"], "10.0.0.1:80", TLS, None, "tls.name:80"),
        (["10.0.0.1:80"], "10.0.0.1:80", TLS, "mine", "mine"),
    ],
)
def test_hosts(endpoints: list[str], address: str, tls: ClusterTls | None, host: str | None, result: str) -> None:
    kind: Any = "strict_dns" if "app" in endpoints[0] else "static"
    cluster = Cluster(name="app", type=kind, endpoints=tuple(endpoints), tls=tls)
    where: Address = parse_address(address)
    assert host_of(where, cluster, HttpHealthCheck(path="/", host=host)) == result


def test_headers() -> None:
    keep = HttpHealthCheck(path="/", request_headers={"a": "b"}, reuse_connection=True)
    assert request_headers(keep, "x") == [("Host", "x"), ("a", "b"), ("User-Agent", "hopmesh-health-check")]


@pytest.mark.parametrize(
    ("expected", "good", "bad"),
    [
        ((200,), {200}, {199, 201, 204, 500}),
        ((200, "204-206"), {200, 204, 205, 206}, {201, 203, 207}),
        (("100-599",), {100, 599}, set()),
        (("404-404",), {404}, {403, 405}),
    ],
)
def test_expected_statuses(expected: Any, good: set[int], bad: set[int]) -> None:
    http = HttpHealthCheck(path="/", expected_statuses=expected)
    assert {status for status in good | bad if is_expected(status, http)} == good


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"", 0), (b"0", 0), (b"120", 120), (b" 7 ", 7), (b"-5", 0), (b"1.5", 0), (b"soon", 0), (b"\xb2", 0),
        (b"9" * 400, 9_999_999_999),
        (b"Fri, 31 Dec 1999 23:59:59 GMT", 59), (b"Fri, 31 Dec 1999 23:58:00 GMT", 0),
        (b"Fri, 99 Dec 1999 23:59:59 GMT", 0), (b"Fri, 31 Dec 99999999 23:59:59 GMT", 0),
    ],
)  # fmt: skip
def test_retry_after(value: bytes, seconds: int) -> None:
    """Seconds or a date; what is neither asks for nothing. Now is a minute before 2000, UTC."""
    assert retry_after_s(value, 946_684_740.0) == seconds


def test_heads() -> None:
    http = HttpHealthCheck(path="/")
    judge_head(h11.Response(status_code=200, headers=[]), http)
    with pytest.raises(ProbeError, match="status 503") as bad:
        judge_head(h11.Response(status_code=503, headers=[("Retry-After", "9")]), http)
    assert (bad.value.retry_after_s, bad.value.final, bad.value.network) == (9, False, False)
    with pytest.raises(ProbeError, match="taken out") as out:
        judge_head(h11.Response(status_code=200, headers=[("X-Envoy-Immediate-Health-Check-Fail", "")]), http)
    assert out.value.final

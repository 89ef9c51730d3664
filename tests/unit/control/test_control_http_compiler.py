"""HTTP settings from a configuration to tables, and what a filter chain is known by from one snapshot to the next."""

from __future__ import annotations

from typing import Any

import pytest
from OpenSSL import SSL
from test_control_compiler import sockets_for

from mesh_core._testing.snapshot import destination_fields, snapshot_fields
from mesh_core.config import load_builtins
from mesh_core.control.compiler import Compiler
from mesh_core.control.endpoints import configured_endpoints
from mesh_core.snapshot.snapshot import Snapshot
from mesh_core.telemetry.stats import StatsRegistry
from mesh_core.tls.context import TlsContext

CLUSTERS = [{"name": "app", "endpoints": ["192.0.2.1:1"]}]


def compiled(listener: dict[str, Any], *, cluster: dict[str, Any] | None = None, **more: Any) -> Snapshot:
    """A snapshot of one listener, which is HTTP unless `listener` says otherwise, and one cluster."""
    listener = {"name": "in", "address": "127.0.0.1:80", "cluster": "app", "protocol": "http"} | listener
    config = load_builtins({"listeners": [listener], "clusters": [CLUSTERS[0] | (cluster or {})]})
    return Compiler(1, StatsRegistry(1)).compile(config, sockets_for(config, 1), configured_endpoints(config), **more)


def settings(**http: Any) -> dict[str, Any]:
    (fallback,) = destination_fields(compiled({"http": http}), 0)
    assert fallback is not None
    return fallback["http"]


def ids(listener: dict[str, Any], **more: Any) -> list[int]:
    return [each["id"] for each in destination_fields(compiled(listener, **more), 0) if each is not None]


def test_defaults_of_a_listener() -> None:
    assert destination_fields(compiled({}), 0) == destination_fields(compiled({"http": {}}), 0)
    assert settings() == {
        "limits": [61440, 8192, 100, 1024, 16384],
        "path": (True, False, 0),
        "idle_timeout_ms": 3_600_000,
        "request_headers_timeout_ms": 60_000,
        "stream_idle_timeout_ms": 300_000,
        "max_requests_per_connection": 0,
        "default_host": b"",
        "forwarded_headers": "append",
        "generate_request_id": True,
        "preserve_external_request_id": True,
        "accept_http_10": True,
        "allow_absolute_url": True,
    }


def test_every_setting_of_a_listener() -> None:
    assert settings(
        max_header_bytes=4096, max_header_count=7, max_start_line_bytes=512, normalize_path=False, merge_slashes=True,
        path_with_escaped_slashes_action="unescape_and_forward", idle_timeout_ms=0, request_headers_timeout_ms=11,
        stream_idle_timeout_ms=12, max_requests_per_connection=13, forwarded_headers="keep", generate_request_id=False,
        preserve_external_request_id=False, default_host_for_http_10="app.example", allow_absolute_url=False,
    ) == {
        "limits": [4096, 512, 7, 1024, 16384],
        "path": (False, True, 3),
        "idle_timeout_ms": 0,
        "request_headers_timeout_ms": 11,
        "stream_idle_timeout_ms": 12,
        "max_requests_per_connection": 13,
        "default_host": b"app.example",
        "forwarded_headers": "keep",
        "generate_request_id": False,
        "preserve_external_request_id": False,
        "accept_http_10": True,
        "allow_absolute_url": False,
    }  # fmt: skip
    assert not settings(accept_http_10=False)["accept_http_10"]


@pytest.mark.parametrize(
    ("action", "number"),
    [("keep_unchanged", 0), ("reject_request", 1), ("unescape_and_redirect", 2), ("unescape_and_forward", 3)],
)
def test_actions_on_escaped_slashes(action: str, number: int) -> None:
    assert settings(path_with_escaped_slashes_action=action)["path"] == (True, False, number)


@pytest.mark.parametrize("choice", ["append", "overwrite", "keep"])
def test_forwarded_headers(choice: str) -> None:
    assert settings(forwarded_headers=choice)["forwarded_headers"] == choice


def test_a_first_line_is_part_of_its_head() -> None:
    assert settings(max_header_bytes=1024)["limits"][:2] == [1024, 1024]


def test_pools() -> None:
    (cluster,) = snapshot_fields(compiled({}))["clusters"]
    assert cluster["http"] == {
        "limits": [61440, 8192, 100, 1024, 16384],
        "idle_timeout_ms": 3000,
        "max_connection_duration_ms": 0,
        "max_requests_per_connection": 0,
        "max_idle_connections": 1024,
    }
    assert cluster["limits"] == [[0] * 4, [0] * 4]
    http = {
        "max_header_bytes": 2048, "max_header_count": 8, "idle_timeout_ms": 0, "max_connection_duration_ms": 9,
        "max_requests_per_connection": 10, "max_idle_connections": 11,
    }  # fmt: skip
    breakers = {"max_requests": 12, "max_pending_requests": 13}
    (cluster,) = snapshot_fields(compiled({}, cluster={"http": http, "circuit_breakers": breakers}))["clusters"]
    assert cluster["http"] == {
        "limits": [2048, 2048, 8, 1024, 16384],
        "idle_timeout_ms": 0,
        "max_connection_duration_ms": 9,
        "max_requests_per_connection": 10,
        "max_idle_connections": 11,
    }
    assert cluster["limits"] == [[1024, 1024, 12, 13], [1024] * 4]
    high = {"max_connections": 1, "max_pending_connections": 2, "max_requests": 3, "max_pending_requests": 4}
    (cluster,) = snapshot_fields(compiled({}, cluster={"circuit_breakers": {"high": high}}))["clusters"]
    assert cluster["limits"] == [[1024] * 4, [1, 2, 3, 4]]


def test_each_chain_has_a_protocol_of_its_own() -> None:
    chains = [
        {"match": {"destination_ports": [1]}, "cluster": "app"},
        {"match": {"destination_ports": [2]}, "cluster": "app", "protocol": "http", "http": {"idle_timeout_ms": 5}},
    ]
    for protocol in ("tcp", "http"):
        fields = destination_fields(compiled({"protocol": protocol, "filter_chains": chains}), 0)
        fallback, relayed, http = [each["http"] for each in fields if each is not None]
        assert (fallback is None) == (protocol == "tcp")
        assert relayed is None
        assert http is not None and http["idle_timeout_ms"] == 5
    # Without a fallback of its own, too.
    fields = destination_fields(compiled({"cluster": None, "protocol": "tcp", "filter_chains": chains}), 0)
    assert fields[0] is None and len(fields) == 3


def test_a_chain_is_known_again() -> None:
    chains = [
        {"match": {"destination_ports": [1]}, "cluster": "app", "protocol": "http"},
        {"match": {"destination_ports": [2]}, "cluster": "app", "protocol": "http"},
    ]
    before = ids({"filter_chains": chains})
    assert len(set(before)) == 3
    fallback, first, second = before
    # Settings, destinations and order do not count.
    changed = [chains[1] | {"http": {"max_header_count": 5}}, chains[0]]
    assert ids({"filter_chains": changed, "http": {"max_header_count": 5}}) == [fallback, second, first]
    assert ids({}) == [fallback]
    routed = [chains[0] | {"cluster": None, "routes": [{"cluster": "app"}]}]
    assert ids({"filter_chains": routed}) == [fallback, first]
    # What a connection is chosen and read by does.
    assert ids({"filter_chains": [chains[0] | {"match": {"destination_ports": [1, 3]}}]})[1] != first
    assert ids({"filter_chains": [chains[0] | {"protocol": "tcp"}]})[1] != first
    assert ids({"protocol": "tcp"}) != [fallback]


def test_a_chain_with_another_tls_context_is_another() -> None:
    def context() -> TlsContext:
        return TlsContext(
            SSL.Context(SSL.TLS_SERVER_METHOD), server=True, verify_peer=False, require_peer_certificate=False
        )

    one, other = context(), context()
    tls = {"tls": {"certificate": "a.pem", "key": "a.key"}}
    before = ids(tls, listener_tls={"in": one})
    assert ids(tls, listener_tls={"in": one}) == before
    assert ids(tls, listener_tls={"in": other}) != before
    assert ids({}) != before

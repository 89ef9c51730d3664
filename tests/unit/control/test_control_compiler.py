"""From a configuration to tables, and back by way of the test's eyes."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest

from mesh_core._testing.net import address_format, address_from_ip, address_from_path
from mesh_core._testing.snapshot import snapshot_fields
from mesh_core._testing.telemetry import stat_block
from mesh_core.config import Config, load_builtins, parse_address
from mesh_core.control.compiler import Compiler
from mesh_core.control.endpoints import configured_endpoints
from mesh_core.control.listener_sockets import ListenerSocket
from mesh_core.runtime.memory import fail_allocations_after_for_test, live_allocations
from mesh_core.telemetry.stats import StatsRegistry
from tests.support.leaks import allocations_given_back

ABSTRACT = "unix:@" + "n" * 107
LONGEST_PATH = "unix:/" + "p" * 106
FULL: dict[str, Any] = {
    "max_connections": 1000,
    "access_log": {"path": "/dev/null"},
    "listeners": [
        {
            "name": "in", "address": "127.0.0.1:8080", "cluster": "b", "max_connections": 7, "idle_timeout_ms": 0,
            "max_connection_duration_ms": 9, "accept_proxy_protocol": True, "proxy_protocol_timeout_ms": 11,
            "buffer_limit_bytes": 65536,
        },
        {"name": "six", "address": "[::1]:8081", "cluster": "a"},
        {"name": "unix", "address": ABSTRACT, "cluster": "a"},
    ],
    "clusters": [
        {"name": "a", "endpoints": []},
        {
            "name": "b", "connect_timeout_ms": 77, "send_proxy_protocol": "v2",
            "endpoints": ["192.0.2.1:1", "[2001:db8::1]:65535", "unix:/run/app.sock", ABSTRACT, LONGEST_PATH],
        },
        {"name": "c", "endpoints": ["192.0.2.1:1"], "send_proxy_protocol": "v1"},
    ],
}  # fmt: skip


class Descriptors(ListenerSocket):
    """A listener's sockets without any: only their numbers."""

    @property
    def descriptors(self) -> list[list[int]]:
        return [[100 + worker, -1] for worker in range(self.workers)]


def sockets_for(config: Config, workers: int) -> dict[str, ListenerSocket]:
    return {
        each.name: Descriptors(index + 50, (), parse_address(each.address), [], workers)
        for index, each in enumerate(config.listeners)
    }


@pytest.fixture(autouse=True)
def nothing_leaks() -> Iterator[None]:
    with allocations_given_back():
        yield


def test_a_full_configuration() -> None:
    config = load_builtins(FULL)
    registry = StatsRegistry(3)
    compiler = Compiler(3, registry)
    snapshot = compiler.compile(config, sockets_for(config, 3), configured_endpoints(config))
    tables = snapshot_fields(snapshot)
    assert (tables["version"], tables["workers"], tables["max_connections"]) == (1, 3, 1000)
    assert tables["access_log"]
    first, six, unix = tables["listeners"]
    assert {key: value for key, value in first.items() if key not in ("local", "active", "stats")} == {
        "name": "in", "socket_id": 50, "descriptors": [[100, -1], [101, -1], [102, -1]], "cluster": "b", "subset": 0,
        "max_connections": 7, "idle_timeout_ms": 0, "max_duration_ms": 9, "proxy_timeout_ms": 11, "buffer_limit": 65536,
        "accept_proxy_protocol": True,
    }  # fmt: skip
    assert (six["max_connections"], six["max_duration_ms"], six["accept_proxy_protocol"]) == (0, 0, False)
    assert (six["idle_timeout_ms"], six["proxy_timeout_ms"], six["buffer_limit"]) == (3_600_000, 5000, 262144)
    locals_ = [address_format(each["local"]) for each in (first, six, unix)]
    assert locals_ == ["127.0.0.1:8080", "[::1]:8081", "unix:"]
    assert [each["stats"] for each in tables["listeners"]] == [
        stat_block(scope, 0) for scope in (registry.scope("listener", name) for name in ("in", "six", "unix"))
    ]
    empty, many, one = tables["clusters"]
    assert (empty["endpoints"], empty["send_proxy_protocol"], empty["connect_timeout_ms"]) == ([], 0, 5000)
    assert (many["send_proxy_protocol"], many["connect_timeout_ms"], one["send_proxy_protocol"]) == (2, 77, 1)
    assert [each["name"] for each in many["endpoints"]] == FULL["clusters"][1]["endpoints"]
    assert [each["address"] for each in many["endpoints"]] == [
        address_from_ip("192.0.2.1", 1),
        address_from_ip("2001:db8::1", 65535),
        address_from_path(b"/run/app.sock"),
        address_from_path(b"\0" + b"n" * 107),
        address_from_path(b"/" + b"p" * 106),
    ]
    # One address in two clusters is two endpoints to whoever counts.
    assert one["endpoints"][0]["stats"] != many["endpoints"][0]["stats"]


def test_an_empty_configuration() -> None:
    tables = snapshot_fields(Compiler(1, StatsRegistry(1)).compile(load_builtins({}), {}, {}))
    assert (tables["listeners"], tables["clusters"], tables["access_log"]) == ([], [], False)


def test_a_listener_without_socket_is_left_out() -> None:
    config = load_builtins(FULL)
    sockets = sockets_for(config, 1)
    del sockets["in"]
    tables = snapshot_fields(Compiler(1, StatsRegistry(1)).compile(config, sockets, configured_endpoints(config)))
    assert [each["name"] for each in tables["listeners"]] == ["six", "unix"]
    assert len(tables["clusters"]) == 3


def test_counts_outlive_a_snapshot() -> None:
    config = load_builtins(FULL)
    registry = StatsRegistry(2)
    compiler = Compiler(2, registry)
    first = compiler.compile(config, sockets_for(config, 2), configured_endpoints(config))
    second = compiler.compile(config, sockets_for(config, 2), configured_endpoints(config))
    before, after = snapshot_fields(first), snapshot_fields(second)
    assert (before["version"], after["version"]) == (1, 2)
    assert before["active"] == after["active"]
    for kind in ("listeners", "clusters"):
        assert [each["stats"] for each in before[kind]] == [each["stats"] for each in after[kind]]
    assert [each["active"] for each in before["listeners"]] == [each["active"] for each in after["listeners"]]
    del first
    gc.collect()
    assert snapshot_fields(second)["clusters"] == after["clusters"]


@pytest.mark.parametrize("renamed", [False, True])
def test_series_of_what_is_gone_go(renamed: bool) -> None:
    registry = StatsRegistry(1)
    compiler = Compiler(1, registry)
    snapshots = []
    for names in (["old"], ["new"] if renamed else []):
        config = load_builtins({"clusters": [{"name": each, "endpoints": ["127.0.0.1:1"]} for each in names]})
        snapshots.append(compiler.compile(config, {}, configured_endpoints(config)))
    assert ("old",) in [scope.labels for scope in registry.scopes("cluster")]
    del snapshots[0]
    assert [scope.labels for scope in registry.scopes("cluster")] == [("new",)] * renamed
    assert [scope.labels for scope in registry.scopes("endpoint")] == [("new", "127.0.0.1:1")] * renamed


def test_memory_failing_at_every_allocation() -> None:
    config = load_builtins(FULL)
    registry = StatsRegistry(2)
    compiler = Compiler(2, registry)
    sockets = sockets_for(config, 2)
    before = live_allocations()
    for allowed in range(1000):
        fail_allocations_after_for_test(allowed)
        try:
            snapshot = compiler.compile(config, sockets, configured_endpoints(config))
        except MemoryError:
            fail_allocations_after_for_test(None)
            gc.collect()
            assert live_allocations() == before
            assert registry.scopes("cluster") == []
        else:
            fail_allocations_after_for_test(None)
            break
    assert allowed > 40
    assert len(snapshot_fields(snapshot)["listeners"]) == 3

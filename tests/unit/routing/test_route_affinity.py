"""Sessions that stay with their endpoint."""

from __future__ import annotations

import gc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from routed import action, forwarding, request

from mesh_core._testing.picks import set_endpoint
from mesh_core._testing.route_actions import RouteActions
from mesh_core.config import load_builtins
from mesh_core.control.compiler import Compiler
from mesh_core.control.endpoints import configured_endpoints
from mesh_core.runtime.memory import fail_allocations_after_for_test, live_allocations
from mesh_core.telemetry.stats import StatsRegistry

AFFINITY: dict[str, Any] = {"cookie": {"name": "s"}}
STRICT = AFFINITY | {"strict": True}
LOST = [(AFFINITY, "none"), (STRICT, "lost")]


def addresses(count: int, first: int = 0) -> list[str]:
    return [f"10.0.{number >> 8}.{number & 255}:80" for number in range(first, first + count)]


def coming_back(cookie: bytes) -> Any:
    """A request with the cookie that was set."""
    return request("/", b"Cookie: other=1; " + cookie.partition(b";")[0])


@pytest.mark.parametrize("count", [1, 2, 3, 64, 1000])
def test_every_endpoint_is_found_by_its_cookie(count: int) -> None:
    members = addresses(count)
    route, _snapshot = forwarding(endpoints={"app": members}, session_affinity=AFFINITY)
    cookies = [route.affinity_cookie(0, index) for index in range(count)]
    assert len(set(cookies)) == count
    for index, cookie in enumerate(cookies):
        assert route.affinity(coming_back(cookie)) == ("found", 0, members[index])


def test_the_cookie() -> None:
    affinity = {"cookie": {"name": "s", "path": "/shop", "ttl_s": 60}}
    route, _snapshot = forwarding(session_affinity=affinity)
    name, _, rest = route.affinity_cookie(0, 0).partition(b"=")
    value, _, attributes = rest.partition(b"; ")
    assert (name, attributes) == (b"s", b"Max-Age=60; Path=/shop; HttpOnly")
    assert len(value) == 32
    assert b"10.0" not in value
    whole = route.affinity_cookie(0, 0)
    assert route.affinity_cookie(0, 0, len(whole)) == whole
    assert {route.affinity_cookie(0, 0, capacity) for capacity in range(len(whole))} == {b""}


def test_other_snapshots_know_the_cookie() -> None:
    before, _one = forwarding(endpoints={"a": [], "app": addresses(3)}, session_affinity=AFFINITY)
    after, _other = forwarding(endpoints={"app": addresses(5)[::-1]}, session_affinity=AFFINITY)
    assert after.affinity(coming_back(before.affinity_cookie(0, 1))) == ("found", 0, "10.0.0.1:80")


@pytest.mark.parametrize(("affinity", "verdict"), LOST)
def test_an_endpoint_that_is_not_to_be_had(affinity: dict[str, Any], verdict: str) -> None:
    route, snapshot = forwarding(endpoints={"app": addresses(3)}, session_affinity=affinity)
    asked = coming_back(route.affinity_cookie(0, 1))
    set_endpoint(snapshot, 0, 1, unhealthy=True)
    assert route.affinity(asked) == (verdict, None, None)
    set_endpoint(snapshot, 0, 1, unhealthy=False)
    assert route.affinity(asked) == ("found", 0, "10.0.0.1:80")


@pytest.mark.parametrize(("affinity", "verdict"), LOST)
def test_an_endpoint_that_has_gone(affinity: dict[str, Any], verdict: str) -> None:
    before, _one = forwarding(endpoints={"app": addresses(3)}, session_affinity=affinity)
    after, _other = forwarding(endpoints={"app": addresses(2)}, session_affinity=affinity)
    empty, _none = forwarding(endpoints={"app": []}, session_affinity=affinity)
    asked = coming_back(before.affinity_cookie(0, 2))
    assert after.affinity(asked) == empty.affinity(asked) == (verdict, None, None)


def test_clusters_are_told_apart() -> None:
    clusters = [{"cluster": "a"}, {"cluster": "b", "weight": 0}]
    members = {"a": addresses(2), "b": addresses(2)}
    route, _snapshot = forwarding(endpoints=members, clusters=clusters, session_affinity=STRICT)
    for place in (0, 1):
        cookie = route.affinity_cookie(place, 1)
        assert route.affinity(coming_back(cookie)) == ("found", place, "10.0.0.1:80")


def test_a_cluster_that_the_route_does_not_have() -> None:
    members = {"a": addresses(1), "b": addresses(1)}
    one, _one = forwarding(endpoints=members, cluster="a", session_affinity=STRICT)
    other, _other = forwarding(endpoints=members, cluster="b", session_affinity=STRICT)
    assert other.affinity(coming_back(one.affinity_cookie(0, 0))) == ("none", None, None)


@pytest.mark.parametrize("fallback", ["any_endpoint", "no_fallback"])
def test_subsets(fallback: str) -> None:
    versions = [{"version": "v1"}, {"version": "v2"}]
    members = [{"address": each, "labels": versions[place]} for place, each in enumerate(addresses(2))]
    labels = [frozenset(each.items()) for each in versions]
    route, _snapshot = forwarding(
        endpoints={"app": members},
        subsets={"app": {frozenset(): 0, labels[0]: 1}},
        settings={"subsets": {"subset_selectors": [{"keys": ["version"]}], "fallback_policy": fallback}},
        listeners=({"name": "in", "address": "127.0.0.1:1", "cluster": "app", "subset": versions[0]},),
        clusters=[{"cluster": "app", "subset": versions[0]}, {"cluster": "app", "subset": {"version": "v3"}}],
        session_affinity=STRICT,
    )
    assert route.affinity(coming_back(route.affinity_cookie(0, 0))) == ("found", 0, "10.0.0.0:80")
    assert route.affinity(coming_back(route.affinity_cookie(0, 1))) == ("lost", None, None)
    fallen_back = ("found", 1, "10.0.0.1:80") if fallback == "any_endpoint" else ("lost", None, None)
    assert route.affinity(coming_back(route.affinity_cookie(1, 1))) == fallen_back


HOSTILE = [
    "", "s=", "s=" + "0" * 31, "s=" + "0" * 32, "s=" + "0" * 33, "s=" + "f" * 32, "s=" + "g" * 32, "s=%s",
    "s=\xff" * 32, "s=-" + "0" * 31, "s=0x" + "0" * 30, "s=" + "0" * 16 + ";" + "0" * 16, "t=" + "0" * 32,
    's="' + "0" * 30 + '"',
]  # fmt: skip


@pytest.mark.parametrize("cookie", HOSTILE)
def test_cookies_that_name_nothing(cookie: str) -> None:
    route, _snapshot = forwarding(endpoints={"app": addresses(4)}, session_affinity=STRICT)
    assert route.affinity(request("/", b"Cookie: " + cookie.encode("latin-1"))) == ("none", None, None)


@given(st.text("0123456789abcdefABCDEFgG", min_size=16, max_size=16))
def test_a_forged_endpoint_is_none(key: str) -> None:
    route, _snapshot = forwarding(endpoints={"app": addresses(4)}, session_affinity=AFFINITY)
    cluster = route.affinity_cookie(0, 0)[: len("s=") + 16]
    assert route.affinity(request("/", b"Cookie: " + cluster + key.encode())) == ("none", None, None)


def test_without_affinity_or_cookie() -> None:
    route, _snapshot = forwarding()
    assert route.affinity(request("/", "Cookie: s=" + "0" * 32)) == ("none", None, None)
    route, _snapshot = forwarding(session_affinity=STRICT)
    assert route.affinity(request("/")) == ("none", None, None)


def test_memory_failing_at_every_allocation() -> None:
    config = load_builtins({"clusters": [{"name": "app", "endpoints": addresses(5)}]})
    route = action(
        clusters=[{"cluster": "app", "request_headers": {"set": {"a": "b"}}}],
        rewrite={"host": "h", "path": {"full": "/"}},
        response_headers={"remove": ["a"]},
        hash_policy=[{"header": "x"}, {"cookie": {"name": "y"}}, {"query_parameter": "z"}],
        session_affinity=AFFINITY,
        upgrades=["websocket", "connect"],
    )
    compiler = Compiler(1, StatsRegistry(1))
    gc.collect()
    before = live_allocations()
    allowed = 0
    while True:
        snapshot = compiler.compile(config, {}, configured_endpoints(config))
        fail_allocations_after_for_test(allowed)
        try:
            made = RouteActions(route, snapshot=snapshot, clusters=config.clusters)
            break
        except MemoryError:
            allowed += 1
        finally:
            fail_allocations_after_for_test(None)
        del snapshot
        gc.collect()
        assert live_allocations() == before
    assert allowed > 15
    assert made.affinity(coming_back(made.affinity_cookie(0, 4)))[0] == "found"
    del made, snapshot
    gc.collect()
    assert live_allocations() == before

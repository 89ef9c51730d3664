"""Compiling the tables of load balancing: without memory, and what endpoints' health is called."""

from __future__ import annotations

import gc

import pytest
from balancing import BALANCERS, compiled, endpoints, fail, recover

from mesh_core._testing.picks import set_endpoint
from mesh_core.control.admin.clusters import clusters_text
from mesh_core.control.compiler import Compiler
from mesh_core.runtime.memory import fail_allocations_after_for_test, live_allocations
from mesh_core.telemetry.stats import StatsRegistry

DESCRIBED = endpoints(
    6, weight=[1, 2, 3, 4, 5, 6], priority=[0, 0, 1, 1, 1, 2], locality=[{"zone": "a"}, {"zone": "b"}] * 3,
    labels=[{"version": "v1"}, {"version": "v2"}] * 3,
)  # fmt: skip
CLUSTER = {
    "locality_weights": [{"locality": {"zone": "a"}, "weight": 1}, {"locality": {"zone": "b"}, "weight": 2}],
    "subsets": {
        "subset_selectors": [{"keys": ["version"]}],
        "fallback_policy": "default_subset",
        "default_subset": {"version": "v1"},
    },
}
LISTENERS = [{"name": "in", "address": "127.0.0.1:1", "cluster": "app", "subset": {"version": "v2"}}]


@pytest.mark.parametrize("balancer", BALANCERS)
def test_memory_failing_at_every_allocation(balancer: str) -> None:
    compiler = Compiler(2, StatsRegistry(2))
    gc.collect()
    before = live_allocations()
    allowed = 0
    try:
        while True:
            fail_allocations_after_for_test(allowed)
            try:
                snapshot = compiled(DESCRIBED, balancer, listeners=LISTENERS, compiler=compiler, **CLUSTER)
                break
            except MemoryError:
                fail_allocations_after_for_test(None)
                gc.collect()
                assert live_allocations() == before
                allowed += 1
    finally:
        fail_allocations_after_for_test(None)
    assert allowed > 30
    del snapshot
    gc.collect()
    assert live_allocations() == before


def test_what_an_endpoint_suffers_from() -> None:
    compiler = Compiler(1, StatsRegistry(1))
    snapshot = compiled(endpoints(1), compiler=compiler)
    state = compiler.endpoint_state("app", "10.0.0.0:80")
    assert state is not None
    assert (state.healthy, state.failed_active_health_check, state.ejected) == (True, False, False)
    fail(snapshot, 0)
    assert (state.healthy, state.failed_active_health_check, state.ejected) == (False, True, False)
    recover(snapshot, 0)
    assert (state.healthy, state.failed_active_health_check, state.ejected) == (True, False, False)
    assert compiler.endpoint_state("app", "unknown") is None


def test_health_and_counts_outlive_a_snapshot() -> None:
    compiler = Compiler(1, StatsRegistry(1))
    first = compiled(endpoints(2), compiler=compiler)
    fail(first, 0)
    set_endpoint(first, 0, 1, active=7)
    second = compiled(endpoints(2), compiler=compiler)
    del first
    gc.collect()
    state = compiler.endpoint_state("app", "10.0.0.0:80")
    assert state is not None
    assert state.failed_active_health_check
    recover(second, 0)
    assert not state.failed_active_health_check


@pytest.mark.parametrize(
    ("active", "outlier", "flags"),
    [(False, False, "healthy"), (True, False, "failed_active_health_check"), (False, True, "failed_outlier_check"),
     (True, True, "failed_active_health_check/failed_outlier_check")],
)  # fmt: skip
def test_health_flags_in_text(active: bool, outlier: bool, flags: str) -> None:
    endpoint = {
        "address": "10.0.0.1:80", "hostname": "app.example:80", "weight": 3, "priority": 2, "labels": {},
        "ejections": 5, "stats": {"cx_total": 4},
        "locality": {"region": "r", "zone": "z", "sub_zone": ""},
        "health_status": {"failed_active_health_check": active, "failed_outlier_check": outlier},
    }  # fmt: skip
    cluster = {
        "name": "app", "type": "strict_dns", "load_balancer": "random", "stats": {"membership_total": 1},
        "upstream_rq_time_ms": {"p50": 1.5},
    }  # fmt: skip
    text = clusters_text([cluster | {"endpoints": [endpoint]}])
    lines = [line.removeprefix("app::10.0.0.1:80::") for line in text.splitlines()]
    assert lines == [
        "app::type::strict_dns", "app::load_balancer::random", "app::membership_total::1",
        "app::upstream_rq_time_ms::p50::1.5", "cx_total::4", "hostname::app.example:80", f"health_flags::{flags}",
        "ejections::5", "weight::3", "region::r", "zone::z",
        "sub_zone::", "priority::2",
    ]  # fmt: skip

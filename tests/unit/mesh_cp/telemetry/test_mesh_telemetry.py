"""Requests by edge: what is summed up, over which time, within which bounds."""

from __future__ import annotations

import pytest

from mesh_core.channel.messages import Hello, RequestGrowth, Telemetry, WorkloadInfo
from mesh_core.telemetry.histogram import BUCKETS
from mesh_cp.telemetry import Edge, MeshTelemetry, Traffic, mesh_telemetry

CART = WorkloadInfo(service="cart", namespace="shop", port=80, listen="10.0.0.1:1", app="127.0.0.1:80")
HELLO = Hello(protocol=1, node="cart-1", namespace="shop", workloads=(CART,))
CLUSTER = "pay.bank.svc.cluster.local:80/v1"
OUT = Edge("source", "cart.shop", "pay.bank")


def growth(requests: int, status: int = 200, cluster: str = CLUSTER, inbound: bool = False) -> RequestGrowth:
    return RequestGrowth(cluster, inbound, status, 0, requests, {3: requests}, requests * 10)


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def test_both_ends_of_an_edge_are_told_apart() -> None:
    telemetry = MeshTelemetry(Clock())
    told = (growth(3), growth(1, 503), growth(1, 0), growth(5, 404, "inbound:80", inbound=True))
    telemetry.take("cart-1", HELLO, Telemetry(requests=told, connections=7))
    _, edges = telemetry.edges()
    assert edges.keys() == {OUT, Edge("destination", "", "cart.shop")}
    assert (edges[OUT].requests, edges[OUT].successes, edges[OUT].duration_us) == (5, 3, 50)
    assert telemetry.connections == {"cart-1": 7}
    telemetry.gone("cart-1")
    assert telemetry.connections == {}


def test_old_slots_are_forgotten() -> None:
    clock = Clock()
    telemetry = MeshTelemetry(clock)
    for _ in range(100):
        telemetry.take("cart-1", HELLO, Telemetry(requests=(growth(1),)))
        clock.now_s += 5
    seconds, edges = telemetry.edges()
    assert (seconds, edges[OUT].requests) == (60, 12)
    assert telemetry.edges(10)[1][OUT].requests == 2
    clock.now_s += 1000
    assert telemetry.edges() == (60, {})


def test_edges_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mesh_telemetry, "EDGES_MOST", 10)
    telemetry = MeshTelemetry(Clock())
    told = tuple(growth(1, cluster=f"s{number}.x.svc.cluster.local:80") for number in range(50))
    telemetry.take("cart-1", HELLO, Telemetry(requests=told))
    _, edges = telemetry.edges()
    assert len(edges) == 11
    assert edges[mesh_telemetry.OTHERS].requests == 40


def test_quantiles() -> None:
    traffic = Traffic()
    assert traffic.quantile_ms(50) is None
    traffic.add(RequestGrowth("c", False, 200, 0, 100, {0: 50, 1: 50}, 0))
    assert traffic.quantile_ms(50) == BUCKETS[0]
    assert traffic.quantile_ms(75) == pytest.approx((BUCKETS[0] + BUCKETS[1]) / 2)
    assert traffic.quantile_ms(100) == BUCKETS[1]
    slow = Traffic()
    slow.add(RequestGrowth("c", False, 200, 0, 1, {len(BUCKETS): 1, 250: 9}, 0))
    assert slow.quantile_ms(50) == BUCKETS[-1]

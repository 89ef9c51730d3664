"""Requests by edge: what is summed up, over which time, within which bounds."""

from __future__ import annotations

import pytest

from mesh_core.channel.messages import RequestGrowth, Telemetry, WorkloadInfo
from mesh_core.telemetry.histogram import BUCKETS
from mesh_cp.telemetry import Edge, MeshTelemetry, Traffic, by_service, mesh_telemetry

CART = WorkloadInfo(service="cart", namespace="shop", port=80, listen="10.0.0.1:1", app="127.0.0.1:80")
STOCK = WorkloadInfo(service="stock", namespace="shop", port=81, listen="10.0.0.1:2", app="127.0.0.1:81")
CLUSTER = "pay.bank.svc.cluster.local:80/v1"
OUT = Edge("source", "cart.shop", "pay.bank")


def growth(requests: int, status: int = 200, cluster: str = CLUSTER, inbound: bool = False) -> RequestGrowth:
    return RequestGrowth(cluster, inbound, status, 0, requests, {3: requests}, requests * 10)


def take(telemetry: MeshTelemetry, *told: RequestGrowth, connections: int = 0) -> None:
    telemetry.take("cart-1", "shop", (CART, STOCK), Telemetry(requests=told, connections=connections))


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.mark.parametrize(
    ("told", "edge"),
    [
        (growth(1), OUT),
        (growth(1, cluster="passthrough:news.example:80"), Edge("source", "cart.shop", "news.example")),
        (growth(1, cluster="unknown", status=404), Edge("source", "cart.shop", "unknown")),
        (growth(1, cluster="inbound:80", inbound=True), Edge("destination", "", "cart.shop")),
        (growth(1, cluster="inbound:81", inbound=True), Edge("destination", "", "stock.shop")),
        (growth(1, cluster="other", inbound=True), Edge("destination", "", "cart.shop")),
    ],
)
def test_whose_requests_they_are(told: RequestGrowth, edge: Edge) -> None:
    telemetry = MeshTelemetry(Clock())
    take(telemetry, told)
    assert telemetry.edges()[1].keys() == {edge}


def test_a_proxy_without_a_workload_has_its_own_name() -> None:
    telemetry = MeshTelemetry(Clock())
    telemetry.take("client-1", "shop", (), Telemetry(requests=(growth(1),)))
    assert telemetry.edges()[1].keys() == {Edge("source", "client-1.shop", "pay.bank")}


def test_what_succeeds_is_answered_below_500() -> None:
    telemetry = MeshTelemetry(Clock())
    take(telemetry, growth(3), growth(2, 404), growth(1, 503), growth(4, 0), connections=7)
    traffic = telemetry.edges()[1][OUT]
    assert (traffic.requests, traffic.successes) == (10, 5)
    assert telemetry.connections == {"cart-1": 7}
    telemetry.gone("cart-1")
    assert telemetry.connections == {}


def test_old_slots_are_forgotten() -> None:
    clock = Clock()
    telemetry = MeshTelemetry(clock)
    for _ in range(100):
        take(telemetry, growth(1))
        clock.now_s += 5
    seconds, edges = telemetry.edges()
    assert (seconds, edges[OUT].requests) == (60, 12)
    assert telemetry.edges(10)[1][OUT].requests == 2
    clock.now_s += 1000
    assert telemetry.edges() == (60, {})


@pytest.mark.parametrize("bound", ["EDGES_MOST", "EDGES_OF_ONE_MOST"])
def test_edges_are_bounded(monkeypatch: pytest.MonkeyPatch, bound: str) -> None:
    monkeypatch.setattr(mesh_telemetry, bound, 10)
    telemetry = MeshTelemetry(Clock())
    take(telemetry, *(growth(1, cluster=f"s{number}.x.svc.cluster.local:80") for number in range(50)))
    _, edges = telemetry.edges()
    assert len(edges) == 11
    assert edges[mesh_telemetry.OTHERS].requests == 40
    telemetry.take("web-1", "shop", (), Telemetry(requests=(growth(1),)))
    assert (Edge("source", "web-1.shop", "pay.bank") in telemetry.edges()[1]) == (bound == "EDGES_OF_ONE_MOST")


def test_a_service_is_counted_once_at_its_own_end_where_it_has_a_proxy() -> None:
    told = {
        Edge("source", "a", "cart"): Traffic(requests=3),
        Edge("source", "b", "cart"): Traffic(requests=4),
        Edge("destination", "", "cart"): Traffic(requests=6),
        Edge("source", "a", "outside"): Traffic(requests=1),
        Edge("source", "b", "outside"): Traffic(requests=2),
    }
    assert {edge: each.requests for edge, each in by_service(told).items()} == {
        Edge("destination", "", "cart"): 6,
        Edge("source", "", "outside"): 3,
    }


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

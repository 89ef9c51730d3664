"""What the API is told of proxies: requests, records, and what each should have."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from mesh_core.channel.messages import COUNT_MOST, RequestGrowth, Telemetry
from mesh_core.channel.resources import Encoded, Key
from mesh_cp.push.observed import Observed
from tests.support.fake_sessions import hello, plane, workload
from tests.support.manifests import service
from tests.support.memory_store import MemoryStore
from tests.support.on_loop import on_loop

CART = "cart.default.svc.cluster.local:80"


@on_loop
async def test_what_both_ends_of_an_edge_have_counted() -> None:
    async with plane(MemoryStore()) as one:
        observed = Observed(one.pusher)
        empty = observed.traffic(60)
        assert (empty.services, empty.edges, empty.connections) == ((), (), 0)
        web = one.join(hello("web-1", workload("web"), dials=("cart",)))
        cart = one.join(hello("cart-1", workload("cart")))
        out = (RequestGrowth(CART, False, 200, 0, 8, {4: 8}, 1), RequestGrowth(CART, False, 503, 4, 2, {0: 2}, 1))
        one.pusher.telemetry(web.session, Telemetry(requests=out, connections=3, records=("one", "two"), dropped=5))
        came = RequestGrowth("inbound:8080", True, 200, 0, 8, {3: 8}, 1)
        one.pusher.telemetry(cart.session, Telemetry(requests=(came,), connections=1))
        found = observed.traffic(60)
        assert found.connections == 4
        (edge,) = found.edges
        (cart_row,) = found.services
        assert (edge.source, edge.destination, edge.requests, edge.success_percent) == (
            "web.default", "cart.default", 10, 80.0,
        )  # fmt: skip
        assert (cart_row.reporter, cart_row.destination, cart_row.requests) == ("destination", "cart.default", 8)
        assert cart_row.success_percent == 100
        assert cart_row.p50_ms is not None and edge.p99_ms is not None and cart_row.p50_ms < edge.p99_ms
        assert edge.requests_per_second == 10 / found.seconds
        told = observed.records(-1, 10, "", "web")
        assert ([each.line for each in told.records], told.dropped) == (["one", "two"], 5)
        one.pusher.left(cart.session)
        assert observed.traffic(60).connections == 3


@on_loop
async def test_numbers_without_sense_can_be_shown() -> None:
    async with plane(MemoryStore()) as one:
        web = one.join(hello("web-1", workload("web")))
        growth = RequestGrowth(CART, False, 200, 0, COUNT_MOST, {4: COUNT_MOST}, COUNT_MOST)
        for _ in range(3):
            told = Telemetry(requests=(growth,) * 5000, connections=COUNT_MOST, dropped=COUNT_MOST)
            one.pusher.telemetry(web.session, told)
        observed = Observed(one.pusher)
        assert observed.traffic(60).edges[0].requests == COUNT_MOST
        assert msgspec.json.encode(observed.traffic(60)) and msgspec.json.encode(observed.records(-1, 1, "", ""))


@on_loop
async def test_what_a_proxy_should_have_and_has() -> None:
    async with plane(MemoryStore()) as one:
        observed = Observed(one.pusher)
        await one.apply(service("cart"))
        await one.settled()
        web = one.join(hello("web-1", dials=("cart",)), answers=False)
        assert observed.config_dump("nobody") is None
        dump = observed.config_dump("web-1")
        assert dump is not None and not dump.in_sync and dump.acknowledged_version == 0
        assert {(each.type, each.name) for each in dump.resources} >= {("cluster", CART), ("endpoint", CART)}
        assert not any(each.acknowledged for each in dump.resources)
        web.ack()
        dump = observed.config_dump("web-1")
        assert dump is not None and dump.in_sync and dump.acknowledged_version == dump.version
        assert all(each.acknowledged for each in dump.resources)
        (cluster,) = (each for each in dump.resources if (each.type, each.name) == ("cluster", CART))
        assert cluster.content["name"] == CART
        assert cluster.hash == web.delivery.holds[Key("cluster", CART)].hex()
        secret = Encoded(b"h" * 16, Raw(b"\xa4key!"))
        web.delivery.want(99, {Key("secret", "leaf"): secret, Key("cluster", CART): None})
        dump = observed.config_dump("web-1")
        assert dump is not None and dump.leftovers == (f"cluster {CART}",)
        (kept,) = (each for each in dump.resources if each.type == "secret")
        assert (kept.name, kept.content, kept.hash) == ("leaf", None, secret.hash.hex())

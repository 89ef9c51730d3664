"""What of the world proxies are sent, when, and whom a change concerns."""

from __future__ import annotations

from mesh_cp.push import pusher as pusher_module
from tests.support.fake_sessions import hello, names, plane, workload
from tests.support.manifests import service
from tests.support.memory_store import MemoryStore
from tests.support.on_loop import on_loop

CART = "cart.default.svc.cluster.local:8080"
MAIL = "mail.default.svc.cluster.local:8080"


@on_loop
async def test_endpoints_go_to_those_who_dial_them() -> None:
    async with plane(MemoryStore()) as one:
        web, other = one.join(hello("web-1", dials=("cart",))), one.join(hello("other-1", dials=("mail",)))
        await one.settled()
        before = len(other.sent)
        one.join(hello("cart-1", workload("cart", 1)))
        await one.settled()
        assert web.endpoints(CART) == ["10.0.0.1:15006"]
        one.join(hello("cart-2", workload("cart", 2)))
        await one.settled()
        assert web.endpoints(CART) == ["10.0.0.1:15006", "10.0.0.2:15006"]
        # Of a second workload nothing but the endpoints is sent.
        assert names(web.sent[-1]) == {f"endpoint {CART}": True}
        assert len(other.sent) == before


@on_loop
async def test_a_workload_is_known_once_its_proxy_takes_what_is_for_it() -> None:
    async with plane(MemoryStore()) as one:
        web = one.join(hello("web-1", dials=("cart",)))
        cart = one.join(hello("cart-1", workload("cart")), answers=False)
        await one.settled()
        assert web.endpoints(CART) is None
        cart.nack("no")
        await one.settled()
        assert web.endpoints(CART) is None
        cart.delivery.retry()
        cart.send_due()
        cart.ack()
        await one.settled()
        assert web.endpoints(CART) == ["10.0.0.1:15006"]


@on_loop
async def test_who_leaves_waits_for_those_who_know() -> None:
    async with plane(MemoryStore()) as one:
        web = one.join(hello("web-1", dials=("cart",)))
        cart = one.join(hello("cart-1", workload("cart")))
        await one.settled()
        inbound = {name for name in names(cart.delivery.wanted) if "inbound" in name}
        web.answers = False
        leaving = one.leave(cart)
        await one.settled()
        assert web.endpoints(CART) is None and not leaving.done()
        # It serves what comes until then.
        assert inbound and inbound <= names(cart.delivery.wanted).keys()
        web.ack()
        await leaving


@on_loop
async def test_who_leaves_does_not_wait_for_those_who_do_not_answer() -> None:
    limit_s, pusher_module.WITHDRAWAL_TIMEOUT_S = pusher_module.WITHDRAWAL_TIMEOUT_S, 0.01
    try:
        async with plane(MemoryStore()) as one:
            web = one.join(hello("web-1", dials=("cart",)))
            cart = one.join(hello("cart-1", workload("cart")))
            await one.settled()
            web.answers = False
            await one.leave(cart)
    finally:
        pusher_module.WITHDRAWAL_TIMEOUT_S = limit_s


@on_loop
async def test_who_comes_back_is_sent_what_it_does_not_hold() -> None:
    store = MemoryStore()
    async with plane(store) as one:
        await one.apply(service("cart"))
        web = one.join(hello("web-1", dials=("cart",)))
        one.join(hello("cart-1", workload("cart")))
        await one.settled()
        holds = web.holds
        one.pusher.left(web.session)
        again = one.join(hello("web-1", dials=("cart",), holds=holds))
        assert again.sent == [] and again.delivery.in_sync
    async with plane(store) as one:
        # Another control plane on the same store; the cart's proxy has not come back yet.
        again = one.join(hello("web-1", dials=("cart",), holds=holds))
        assert again.sent == [] and again.delivery.in_sync
        again = one.join(hello("web-1", dials=("cart",)))
        assert dict.fromkeys(names(again.sent[0]), True) == names(again.delivery.wanted)


@on_loop
async def test_what_is_dialled_besides() -> None:
    async with plane(MemoryStore()) as one:
        one.join(hello("mail-1", workload("mail")))
        web = one.join(hello("web-1", dials=("cart",)))
        await one.settled()
        web.dials = hello("web-1", dials=("cart", "mail")).dials
        one.pusher.subscribed(web.session)
        await one.until(lambda: web.endpoints(MAIL) == ["10.0.0.1:15006"])
        web.workloads = (workload("cart", 7),)
        one.pusher.registered(web.session)
        await one.until(lambda: web.endpoints(CART) == ["10.0.0.7:15006"])


@on_loop
async def test_who_says_much_is_looked_at_when_others_were() -> None:
    async with plane(MemoryStore()) as one:
        web = one.join(hello("web-1"))
        await one.settled()
        before = one.pusher.versions.current
        for number in range(200):
            web.dials = hello("web-1", dials=tuple(f"s{each}" for each in range(number + 1))).dials
            one.pusher.subscribed(web.session)
        one.join(hello("s199-1", workload("s199")))
        await one.until(lambda: web.endpoints("s199.default.svc.cluster.local:8080"))
        assert one.pusher.versions.current - before <= 4
        one.pusher.subscribed(web.session)
        one.pusher.left(web.session)
        await one.settled()


@on_loop
async def test_a_connection_that_was_replaced_changes_nothing() -> None:
    async with plane(MemoryStore()) as one:
        old = one.join(hello("cart-1", workload("cart")))
        await one.settled()
        new = one.join(hello("cart-1", workload("cart")))
        for tell in (one.pusher.subscribed, one.pusher.registered, one.pusher.acked, one.pusher.left):
            tell(old.session)
        await one.pusher.withdrawn(old.session)
        await one.settled()
        assert one.pusher.sessions == {"cart-1": new.session}
        assert len(one.pusher.world.workloads) == 1


@on_loop
async def test_what_one_says_of_itself_does_not_stop_others() -> None:
    async with plane(MemoryStore()) as one:
        web = one.join(hello("web-1", dials=("cart",)))
        for node in ("a/b", "näh", "a b\n", "x" * 512):
            one.join(hello(node, workload("cart", 1, listen="nowhere"), workload("../cart"), workload("c*rt")))
        one.join(hello("cart-1", workload("cart", 9)))
        await one.settled()
        assert web.endpoints(CART) == ["10.0.0.9:15006"]


@on_loop
async def test_the_cost_of_an_endpoint_does_not_grow_with_the_mesh() -> None:
    made = []
    for size in (20, 200):
        async with plane(MemoryStore()) as one:
            await one.apply(*(service(f"s{number}") for number in range(size)))
            sessions = [one.join(hello(f"p{number}", dials=(f"s{number}",))) for number in range(size)]
            one.join(hello("first", workload("s0", 1, labels={"app": "s0"}, port=80)))
            await one.settled()
            counts = [len(each.sent) for each in sessions]
            encoded, moved = one.pusher.encodings.encoded, one.pusher.versions.current
            one.pusher.change_workloads({})
            one.pusher.registrations.register("first", "", (workload("s0", 2, labels={"app": "s0"}, port=80),))
            await one.settled()
            told = [each.node for each, count in zip(sessions, counts, strict=True) if len(each.sent) > count]
            made.append((one.pusher.encodings.encoded - encoded, one.pusher.versions.current - moved, told))
    assert made == [(2, 1, ["p0"])] * 2

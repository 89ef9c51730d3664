"""One world after the other: what a change concerns, and that nothing depends on the way there."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from meshes import CART, assembled, manifest, proxy, service, workload, world

from mesh_core.config.schema import Locality
from mesh_cp.generators import Dial, Generator, Index, Output, OutputKey, change, generate
from mesh_cp.generators.proxy import Inbound
from mesh_cp.model import HOSTS, Client, Fact, Workload, WorkloadPort, build, changed_facts, with_workloads
from mesh_cp.model.table import Table
from mesh_cp.resources import Resource

PAY = "pay.shop.svc.cluster.local"


def test_an_endpoint_concerns_those_who_dial_its_service() -> None:
    before = world(service("cart"), service("pay"), workload("c", "cart", "10.0.0.1"))
    generator, index = Generator(before), Index()
    proxies = {each.id: each for each in (proxy("cart", id="a"), proxy("pay", id="b"), proxy("*", id="c"))}
    made = {name: generator.generate(each) for name, each in proxies.items()}
    for name, each in made.items():
        index.update(name, each.facts)
    after = with_workloads(before, {"d": workload("d", "cart", "10.0.0.2")})
    facts = changed_facts(before, after)
    assert facts == {Fact("members", CART)}
    assert index.concerned(facts) == {"a", "c"}
    generator.move(after, facts)
    again = generator.again(proxies["a"], made["a"], facts)
    due = change(made["a"].outputs, again.outputs)
    assert [(each.key.type, each.content) for each in due.make] == [("endpoint", ["10.0.0.1:8080", "10.0.0.2:8080"])]
    assert (due.switch, due.remove) == ((), ())
    # What all get is made once.
    key = OutputKey("endpoint", f"{CART}:80")
    assert generator.generate(proxies["c"]).outputs[key] is again.outputs[key]
    index.remove("c")
    assert index.concerned(facts) == {"a"}


def test_a_manifest_concerns_those_who_dial_its_host_or_are_led_there() -> None:
    spec = {"hosts": ["pay"], "http": [{"route": [{"destination": {"host": "cart"}}]}]}
    parts = [service("cart"), service("pay"), manifest("VirtualService", "pay", spec)]
    before = world(*parts)
    rule = manifest("DestinationRule", "all", {"host": "*.shop.svc.cluster.local"})
    facts = changed_facts(before, world(*parts, rule))
    assert facts == {Fact("policy", "*.shop.svc.cluster.local")}
    generator = Generator(before)
    by_host = {host: generator.generate(proxy(host)).facts for host in ("cart", "pay", "other.example")}
    assert [host for host, those in by_host.items() if facts & those] == ["cart", "pay"]
    assert Fact("members", CART) in by_host["pay"]
    assert HOSTS in changed_facts(before, world(*parts, service("new")))


def test_make_before_break() -> None:
    def route(host: str) -> Resource:
        http = [{"route": [{"destination": {"host": host}}]}]
        return manifest("VirtualService", "cart", {"hosts": ["cart"], "http": http})

    services = [service("cart"), service("old"), service("new")]
    before = Generator(world(*services, route("old"))).generate(proxy("cart")).outputs
    after = Generator(world(*services, route("new"))).generate(proxy("cart")).outputs
    due = change(before, after)
    state = dict(before)
    for each in due.make:
        state[each.key] = each
    assembled(state)
    for each in due.switch:
        state[each.key] = each
    assembled(state)
    for key in due.remove:
        del state[key]
    assert state == after
    assert not change(after, state)
    assert [key.type for key in due.remove] == ["cluster", "endpoint"]


@given(st.lists(st.tuples(st.text("ab", max_size=2), st.integers(0, 9) | st.none()), max_size=30))
def test_a_table_is_a_mapping(changes: list[tuple[str, int | None]]) -> None:
    table: Table[int] = Table()
    plain: dict[str, int] = {}
    for key, value in changes:
        before = dict(table)
        other = table.changed({key: value})
        assert dict(table) == before
        table = other
        plain[key] = value if value is not None else 0
        if value is None:
            del plain[key]
        assert (dict(table), len(table)) == (plain, len(plain))


_HOSTS = ["cart", "pay", "cart.shop", PAY, "db.example", "*.shop.svc.cluster.local"]
_POLICIES = st.sampled_from([
    {}, {"outlierDetection": {}}, {"loadBalancer": {"simple": "RANDOM"}},
    {"loadBalancer": {"consistentHash": {"useSourceIp": True}}, "proxyProtocol": {"version": "V1"}},
    {"loadBalancer": {"localityLbSetting": {"distribute": [{"from": "*", "to": {"a/*": 60, "*": 40}}]}}},
])  # fmt: skip
_MATCHES = st.sampled_from([
    [], [{"uri": {"prefix": "/a"}}], [{"headers": {"h": {"exact": "1"}}}, {"sourceLabels": {"x": "1"}}], [{"port": 81}],
])  # fmt: skip
_TARGETS = st.builds(
    lambda host, subset: {"destination": {"host": host, **({"subset": subset} if subset else {})}, "weight": 1},
    st.sampled_from(["cart", "pay.shop", PAY, "db.example", "no"]), st.sampled_from(["", "v1"]),
)  # fmt: skip


def _service(name: str, namespace: str) -> Resource:
    ports = ({"port": 80, "name": "http", "targetPort": 8080}, {"port": 81, "name": "tcp"})
    return service(name, *ports, namespace=namespace)


def _http_route(name: str, namespace: str, backend: str) -> Resource:
    parents = [{"group": "", "kind": "Service", "name": "cart", "namespace": "shop"}]
    rules = [{"backendRefs": [{"name": backend, "port": 80}]}]
    return manifest("HTTPRoute", name, {"parentRefs": parents, "rules": rules}, namespace)


_NAMES, _NAMESPACES = st.sampled_from(["a", "b"]), st.sampled_from(["shop", "bank"])
_RESOURCES = st.one_of(
        st.builds(_service, st.sampled_from(["cart", "pay"]), _NAMESPACES),
        st.builds(
            lambda name, namespace, host, policy: manifest(
                "DestinationRule", name, {"host": host, "trafficPolicy": policy,
                                          "subsets": [{"name": "v1", "labels": {"version": "v1"}}]}, namespace),
            _NAMES, _NAMESPACES, st.sampled_from(_HOSTS), _POLICIES),
        st.builds(
            lambda name, namespace, host, match, route: manifest(
                "VirtualService", name, {"hosts": [host], "http": [{"match": match, "route": route}],
                                         "tcp": [{"route": route[:1]}]}, namespace),
            _NAMES, _NAMESPACES, st.sampled_from(_HOSTS), _MATCHES, st.lists(_TARGETS, min_size=1, max_size=2)),
        st.builds(_http_route, _NAMES, _NAMESPACES, st.sampled_from(["cart", "pay", "no"])),
        st.builds(
            lambda resolution: manifest("ServiceEntry", "db", {
                "hosts": ["db.example"], "ports": [{"number": 80, "name": "http"}], "resolution": resolution}),
            st.sampled_from(["DNS", "NONE"])),
)  # fmt: skip
_WORKLOADS = st.builds(
    lambda app, services, version, place, healthy: Workload(
        id="", namespace="shop", name="w", ports=(WorkloadPort(number=8080, address="10.0.0.1:1"),), services=services,
        labels={"app": app, "version": version}, locality=Locality(region=place), healthy=healthy),
    st.sampled_from(["cart", "pay"]), st.sampled_from([(), ("pay",), ("cart.shop",), ("db.example",)]),
    st.sampled_from(["v1", "v2"]), st.sampled_from(["", "a"]), st.booleans(),
)  # fmt: skip
# A change of workloads by their ids, or of one manifest; a number takes one away.
_STEPS = st.lists(
    st.dictionaries(st.sampled_from("123"), st.none() | _WORKLOADS, min_size=1) | _RESOURCES | st.integers(0, 9),
    min_size=1,
    max_size=12,
)
_PROXIES = [
    proxy("*"),
    proxy("cart", "pay", client=Client(namespace="shop", labels={"x": "1"})),
    proxy("cart", "pay.shop", "db.example", namespace="bank", locality=Locality(region="a")),
    proxy(dials=(Dial(host="cart", port=81, listen="127.0.0.1:1"), Dial(host="pay", listen="127.0.0.1:2"))),
]


@settings(deadline=None, max_examples=30)
@given(_STEPS)
def test_the_way_to_a_world_makes_no_difference(steps: list[Any]) -> None:
    resources = {each.key: each for each in (_service("cart", "shop"), _service("pay", "shop"))}
    workloads: dict[str, Workload] = {}
    now = build(resources.values())
    generator, index = Generator(now), Index()
    made = {number: generator.generate(each) for number, each in enumerate(_PROXIES)}
    for step in steps:
        for number, each in made.items():
            index.update(str(number), each.facts)
        if isinstance(step, dict):
            changes = {key: None if each is None else _named(each, key) for key, each in step.items()}
            workloads = {key: each for key, each in {**workloads, **changes}.items() if each is not None}
            after = with_workloads(now, changes)
        else:
            if isinstance(step, Resource):
                resources[step.key] = step
            else:
                resources.pop(next(iter(sorted(resources)[step:]), None), None)  # type: ignore[arg-type]
            after = build(resources.values(), workloads.values())
        facts = changed_facts(now, after)
        now = after
        generator.move(now, facts)
        concerned = index.concerned(facts)
        fresh = Generator(build(resources.values(), workloads.values()))
        for number, each in enumerate(_PROXIES):
            if str(number) in concerned:
                made[number] = generator.again(each, made[number], facts)
            expected = fresh.generate(each)
            assembled(expected.outputs)
            assert made[number].outputs == expected.outputs


def _named(one: Workload, identity: str) -> Workload:
    ports = (WorkloadPort(number=8080, address=f"10.0.0.{identity}:8080"),)
    return Workload(
        id=identity, namespace=one.namespace, name=one.name, ports=ports, services=one.services, labels=one.labels,
        locality=one.locality, healthy=one.healthy,
    )  # fmt: skip


def test_what_a_proxy_takes_for_its_workload_is_made_once_and_is_not_kept_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(generate, "OWN_PARTS_MOST", 2)
    generator = Generator(world(service("cart")))

    def made(number: int) -> Output:
        port = Inbound(number=8080, listen=f"10.0.0.{number}:1", app="127.0.0.1:80", service="cart.shop")
        outputs = generator.generate(proxy(inbound=(port,), outbound=None)).outputs
        return outputs[OutputKey("listener", "inbound:8080")]

    first, second = made(1), made(2)
    assert made(1) is first and made(2) is second
    third = made(3)
    assert made(1) is not first
    assert made(3) is third
    generator.move(generator.world, {Fact("service", CART)})
    assert made(3) is not third

"""Names, and which DestinationRules, VirtualServices and HTTPRoutes hold for whom."""

from __future__ import annotations

from typing import Any

import pytest
from meshes import CART, manifest, proxy, routes, service, world

from mesh_cp.generators.policy import effective
from mesh_cp.model import Client
from mesh_cp.model.names import names_of, patterns_of, resolve
from mesh_cp.model.rules import rule_for
from mesh_cp.model.service import protocol_of
from mesh_cp.resources import Resource


@pytest.mark.parametrize(
    ("host", "namespace", "expected"),
    [
        ("cart", "shop", CART),
        ("cart", "bank", "cart.bank.svc.cluster.local"),
        ("cart.shop", "bank", CART),
        ("cart.shop.svc", "bank", CART),
        ("Cart.Shop.svc.cluster.local.", "bank", CART),
        ("db.example", "shop", "db.example"),
        ("no.such", "shop", "no.such"),
        ("*.shop.svc.cluster.local", "bank", "*.shop.svc.cluster.local"),
    ],
)
def test_what_a_name_means(host: str, namespace: str, expected: str) -> None:
    assert resolve(host, namespace, {CART, "db.example"}) == expected


def test_names_and_wildcards_of_a_host() -> None:
    assert list(names_of(CART, "shop")) == [CART, "cart", "cart.shop", "cart.shop.svc"]
    assert list(names_of(CART, "bank")) == [CART, "cart.shop", "cart.shop.svc"]
    assert list(names_of("db.example", "shop")) == ["db.example"]
    assert list(patterns_of("a.b.example")) == ["a.b.example", "*.b.example", "*.example", "*"]


@pytest.mark.parametrize(
    ("number", "name", "declared", "expected"),
    [
        (80, "http-web", None, "http"), (80, "web", "http", "http"), (80, "tcp-web", None, "tcp"),
        (80, "", None, "auto"), (3306, "", None, "tcp"), (80, "http", "tcp", "tcp"), (443, "https", None, "tcp"),
        (80, "grpc", None, "tcp"), (80, "GRPC-web", None, "tcp"), (80, "httpbin", None, "auto"),
        (80, "x", "HTTP", "http"), (80, "x", "kubernetes.io/h2c", "tcp"),
    ],
)  # fmt: skip
def test_what_a_port_speaks(number: int, name: str, declared: str | None, expected: str) -> None:
    assert protocol_of(number, name, declared) == expected


def rule(name: str, namespace: str, host: str = CART, created: int = 0, **spec: Any) -> Resource:
    subsets = spec.pop("subsets", [name])
    spec = {"host": host, "subsets": [{"name": each, "labels": {"version": each}} for each in subsets], **spec}
    return manifest("DestinationRule", name, spec, namespace, created)


@pytest.mark.parametrize(
    ("rules", "client", "expected"),
    [
        ([("bank", CART, {}), ("shop", CART, {}), ("istio-system", CART, {})], "bank", "bank"),
        ([("shop", CART, {}), ("istio-system", CART, {})], "bank", "shop"),
        ([("istio-system", CART, {}), ("other", CART, {})], "bank", "istio-system"),
        ([("other", CART, {})], "bank", ""),
        ([("shop", CART, {"exportTo": ["."]}), ("istio-system", CART, {})], "bank", "istio-system"),
        ([("shop", CART, {"exportTo": ["bank"]}), ("istio-system", CART, {})], "bank", "shop"),
        ([("shop", "*.shop.svc.cluster.local", {}), ("istio-system", CART, {})], "bank", "shop"),
        ([("bank", "*.local", {}), ("shop", CART, {})], "bank", "bank"),
    ],
)
def test_whose_rule_holds(rules: list[tuple[str, str, dict[str, Any]]], client: str, expected: str) -> None:
    made = [rule(namespace, namespace, host, **spec) for namespace, host, spec in rules]
    policy = world(service("cart"), *made).policy(CART)
    found = rule_for(policy.rules, Client(namespace=client), "shop", "istio-system")
    assert (found.namespace, [subset.name for subset in found.subsets]) == (expected, [expected] if expected else [])


def test_of_one_namespace_the_most_exact_host_counts_then_a_selector() -> None:
    policy = world(
        service("cart"),
        rule("wild", "shop", "*.svc.cluster.local"),
        rule("exact", "shop", "cart"),
        rule("for-ann", "shop", "cart", workloadSelector={"matchLabels": {"user": "ann"}}),
    ).policy(CART)

    def names(**labels: str) -> list[str]:
        client = Client(namespace="shop", labels=labels)
        return [subset.name for subset in rule_for(policy.rules, client, "shop", "istio-system").subsets]

    assert names() == ["exact"]
    assert names(user="ann", other="x") == ["for-ann"]


def test_rules_for_one_host_are_merged_and_what_contradicts_is_told() -> None:
    made = world(
        service("cart"),
        rule("young", "shop", created=9, subsets=["v2", "v1"], trafficPolicy={"loadBalancer": {"simple": "RANDOM"}}),
        rule("old", "shop", created=3, subsets=["v1"]),
        rule("youngest", "shop", created=10, subsets=[], trafficPolicy={"loadBalancer": {"simple": "ROUND_ROBIN"}}),
    )
    found = rule_for(made.policy(CART).rules, Client(namespace="shop"), "shop", "istio-system")
    assert [subset.name for subset in found.subsets] == ["v1", "v2"]
    assert effective(found, "", 80).load_balancer.simple == "RANDOM"
    assert [str(problem) for problem in made.problems] == [
        f"DestinationRule shop/youngest: spec.trafficPolicy: the trafficPolicy of {CART} is that of DestinationRule "
        "shop/old, which is older"
    ]


POLICY = {
    "connectionPool": {"tcp": {"maxConnections": 1}},
    "outlierDetection": {"consecutive5xxErrors": 1},
    "loadBalancer": {"simple": "RANDOM"},
    "portLevelSettings": [{"port": {"number": 81}, "loadBalancer": {"simple": "ROUND_ROBIN"}}],
}
OWN = {"connectionPool": {"tcp": {"maxConnections": 2}}}
OWN_PORT = {"portLevelSettings": [{"port": {"number": 80}, "connectionPool": {"tcp": {"maxConnections": 3}}}]}


@pytest.mark.parametrize(
    ("subset", "port", "expected"),
    [
        # What nobody overrides; a port's settings inherit nothing; a subset's stand beside the rest of the host's.
        ("", 80, ("RANDOM", 1, True)),
        ("", 81, ("ROUND_ROBIN", None, False)),
        ("own", 80, ("RANDOM", 2, True)),
        ("own", 81, ("ROUND_ROBIN", None, False)),
        ("port", 80, (None, 3, False)),
        ("port", 81, ("RANDOM", 1, True)),
        ("none", 80, ("RANDOM", 1, True)),
    ],
)
def test_levels_of_traffic_policy(subset: str, port: int, expected: tuple[str | None, int | None, bool]) -> None:
    subsets = [
        {"name": "own", "labels": {}, "trafficPolicy": OWN},
        {"name": "port", "labels": {}, "trafficPolicy": OWN_PORT},
        {"name": "none", "labels": {}},
    ]
    spec = {"host": "cart", "trafficPolicy": POLICY, "subsets": subsets}
    made = world(service("cart"), manifest("DestinationRule", "cart", spec))
    found = effective(made.policy(CART).rules[0], subset, port)
    assert (found.load_balancer.simple, found.tcp.max_connections, found.outlier_detection is not None) == expected


def virtual(name: str, namespace: str, host: str = CART, created: int = 0, **spec: Any) -> Resource:
    http = [{"name": name, "route": [{"destination": {"host": CART}}]}]
    return manifest("VirtualService", name, {"hosts": [host], "http": http, **spec}, namespace, created)


@pytest.mark.parametrize(
    ("virtuals", "expected"),
    [
        ([virtual("young", "shop", created=2), virtual("old", "bank", created=1)], "old"),
        ([virtual("exact", "shop", created=2), virtual("wild", "shop", "*.local", created=1)], "exact"),
        ([virtual("own", "bank", created=2, exportTo=["."]), virtual("all", "shop", created=1)], "own"),
        ([virtual("to", "shop", created=2, exportTo=["bank"]), virtual("all", "shop", created=1)], "to"),
        ([virtual("private", "shop", created=1, exportTo=["."]), virtual("all", "shop", created=2)], "all"),
        ([virtual("gateway", "shop", gateways=["edge"])], "default"),
    ],
)
def test_which_virtual_service_holds(virtuals: list[Resource], expected: str) -> None:
    made = world(service("cart"), *virtuals)
    assert [route["name"] for route in routes(made, proxy("cart.shop", namespace="bank"), f"{CART}:80")] == [expected]


def test_two_virtual_services_for_a_host_are_told() -> None:
    made = world(service("cart"), virtual("a", "shop"), virtual("b", "shop"))
    message = f"spec.hosts: the routes of {CART} are those of VirtualService shop/a, which is older"
    assert [str(problem) for problem in made.problems] == [f"VirtualService shop/b: {message}"]


def http_route(name: str, namespace: str, created: int = 0, path: str = "/", **parent: Any) -> Resource:
    parents = [{"group": "", "kind": "Service", "name": "cart", "namespace": "shop", **parent}]
    rules = [{
        "matches": [{"path": {"type": "PathPrefix", "value": path}}],
        "backendRefs": [{"name": "cart", "namespace": "shop", "port": 80}],
    }]  # fmt: skip
    return manifest("HTTPRoute", name, {"parentRefs": parents, "rules": rules}, namespace, created)


@pytest.mark.parametrize(
    ("attached", "namespace", "expected"),
    [
        ([http_route("b", "shop", 1), http_route("a", "shop", 2)], "shop", ["shop/b/0"]),
        ([http_route("b", "shop", 2), http_route("a", "shop", 2)], "shop", ["shop/a/0"]),
        ([http_route("b", "shop", 1, "/b"), http_route("a", "shop", 2)], "shop", ["shop/b/0", "shop/a/0"]),
        ([http_route("own", "bank", 2), http_route("a", "shop", 1)], "bank", ["bank/own/0"]),
        ([http_route("own", "bank", 2), http_route("a", "shop", 1)], "shop", ["shop/a/0"]),
        ([http_route("other", "shop", port=81)], "shop", ["v"]),
    ],
)
def test_which_http_routes_hold(attached: list[Resource], namespace: str, expected: list[str]) -> None:
    ports = ({"port": 80, "name": "http"}, {"port": 81, "name": "http-b"})
    made = world(service("cart", *ports), virtual("v", "shop"), *attached)
    assert [each["name"] for each in routes(made, proxy("cart.shop", namespace=namespace), f"{CART}:80")] == expected


def test_names_that_lead_nowhere_are_told() -> None:
    spec = {"hosts": ["cart"], "http": [{"route": [
        {"destination": {"host": "no"}, "weight": 1},
        {"destination": {"host": "cart", "port": {"number": 7}}, "weight": 1},
        {"destination": {"host": "cart", "subset": "v9"}, "weight": 1},
    ]}]}  # fmt: skip
    made = world(service("cart"), manifest("VirtualService", "cart", spec))
    assert [problem.message for problem in made.problems] == [
        "there is no service no.shop.svc.cluster.local",
        f"{CART} has no port 7",
        f"no DestinationRule has a subset v9 of {CART}",
    ]
    assert len(routes(made, proxy("cart"), f"{CART}:80")[0]["clusters"]) == 3

"""What manifests become in a proxy's clusters and endpoints, all checked as a proxy would."""

from __future__ import annotations

from typing import Any

import pytest
from meshes import CART, HOST, content, manifest, outputs, proxy, routes, rule, service, to, virtual, workload, world

from mesh_core.config.schema import Locality
from mesh_cp.generators import Dial, OutputKey
from mesh_cp.model import Workload, WorkloadPort

CARTS = [workload(f"cart-{n}", "cart", f"10.0.0.{n}", version=f"v{n}") for n in (1, 2)]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({}, {"load_balancer": "least_request"}),
        ({"loadBalancer": {"simple": "ROUND_ROBIN"}}, {}),
        ({"loadBalancer": {"simple": "RANDOM", "warmup": {"duration": "30s"}}},
         {"load_balancer": "random", "slow_start": {"window_ms": 30_000}}),
        ({"loadBalancer": {"consistentHash": {"httpHeaderName": "x-user"}}},
         {"load_balancer": "ring_hash", "ring_hash": {}}),
        ({"loadBalancer": {"consistentHash": {"useSourceIp": True, "maglev": {"tableSize": 101}}}},
         {"load_balancer": "maglev", "maglev": {"table_size": 101}}),
        ({"connectionPool": {"tcp": {"maxConnections": 7, "connectTimeout": "2s", "maxConnectionDuration": "1h"},
                             "http": {"http1MaxPendingRequests": 8, "idleTimeout": "9s"}}},
         {"load_balancer": "least_request", "connect_timeout_ms": 2000,
          "http": {"idle_timeout_ms": 9000, "max_connection_duration_ms": 3_600_000},
          "circuit_breakers": {"max_connections": 7, "max_pending_connections": 2**31 - 1,
                               "max_requests": 2**31 - 1, "max_pending_requests": 8}}),
        ({"tls": {"mode": "SIMPLE", "sni": "x.example"}},
         {"load_balancer": "least_request", "tls": {"trusted_ca": "system", "server_name": "x.example"}}),
        ({"outlierDetection": {"consecutive5xxErrors": 3, "consecutiveGatewayErrors": 0, "minHealthPercent": 40}},
         {"load_balancer": "least_request", "panic_threshold_percent": 40, "outlier_detection": {
             "consecutive_5xx": 3, "enforcing_success_rate": 0,
             "enforcing_local_origin_success_rate": 0}}),
        ({"connectionPool": {"http": {"maxRetries": 5}}},
         {"load_balancer": "least_request", "retry": {"budget": {"percent": 0, "min_concurrency": 5}},
          "circuit_breakers": {"max_connections": 2**31 - 1, "max_pending_connections": 2**31 - 1,
                               "max_requests": 2**31 - 1, "max_pending_requests": 2**31 - 1, "max_retries": 5}}),
        ({"connectionPool": {"http": {"maxRetries": 5}}, "retryBudget": {"percent": 12}},
         {"load_balancer": "least_request", "retry": {"budget": {"percent": 12}}}),
        ({"retryBudget": {"percent": 12.4}}, {"load_balancer": "least_request", "retry": {"budget": {"percent": 12}}}),
        ({"tls": {"mode": "ISTIO_MUTUAL"}}, {"load_balancer": "least_request"}),
        ({"proxyProtocol": {"version": "V2"}}, {"load_balancer": "least_request"}),
    ],
)  # fmt: skip
def test_a_traffic_policy_as_a_cluster(policy: dict[str, Any], expected: dict[str, Any]) -> None:
    made = content(world(service("cart"), rule(policy)), proxy("cart"), "cluster", HOST)
    always = {"name": HOST, "connect_timeout_ms": 10_000, "panic_threshold_percent": 0}
    assert made == {**always, **expected}


def test_subsets_are_clusters_of_the_endpoints_with_their_labels() -> None:
    made = world(service("cart"), rule({}), virtual({"route": [to("v1", 90), to("v2", 10)]}), *CARTS)
    assert routes(made, proxy("cart"), HOST)[0]["clusters"] == [
        {"cluster": f"{HOST}/v1", "weight": 90}, {"cluster": f"{HOST}/v2", "weight": 10}]  # fmt: skip
    assert content(made, proxy("cart"), "endpoint", f"{HOST}/v1") == ["10.0.0.1:8080"]
    assert content(made, proxy("cart"), "endpoint", f"{HOST}/v2") == ["10.0.0.2:8080"]


@pytest.mark.parametrize(
    ("target", "expected"), [(8080, ":8080"), ("web", ":8080"), (9000, ":9000"), (None, ":80"), ("no", None)]
)
def test_where_a_workload_has_a_port(target: int | str | None, expected: str | None) -> None:
    made = world(service("cart", {"port": 80, "name": "http", "targetPort": target}), CARTS[0])
    assert content(made, proxy("cart"), "endpoint", HOST) == ([] if expected is None else [f"10.0.0.1{expected}"])


def test_only_workloads_that_can_be_reached_are_endpoints() -> None:
    made = world(
        service("cart"),
        CARTS[0],
        Workload(id="again", namespace="shop", name="again", ports=CARTS[0].ports, labels={"app": "cart"}),
        Workload(
            id="ill", namespace="shop", name="ill", ports=(), host="10.0.0.3", labels={"app": "cart"}, healthy=False
        ),
        *(workload(f"bad-{text}", "cart", text) for text in ("0.0.0.0", "no", "::", "x y", "10.0.0.1:1")),
        workload("elsewhere", "cart", "10.0.0.4", namespace="bank"),
        workload("other", "other", "10.0.0.5"),
        manifest("WorkloadEntry", "written", {"address": "fd00::1", "labels": {"app": "cart"}, "weight": 3}),
    )
    assert content(made, proxy("cart"), "endpoint", HOST) == [
        "10.0.0.1:8080", {"address": "[fd00::1]:8080", "weight": 3}]  # fmt: skip


def test_workloads_that_are_not_ready_where_the_service_asks_for_them() -> None:
    ill = Workload(id="i", namespace="shop", name="i", ports=(), host="10.0.0.3", labels={"app": "cart"}, healthy=False)
    for asked, expected in ((False, []), (True, ["10.0.0.3:8080"])):
        made = world(service("cart", publishNotReadyAddresses=asked), ill)
        assert content(made, proxy("cart"), "endpoint", HOST) == expected


def test_workloads_alone_make_a_service() -> None:
    ports = (WorkloadPort(number=0, address="10.0.0.9:15006"),)
    one = Workload(id="a", namespace="shop", name="cart", services=("cart",), ports=ports)
    assert content(world(one), proxy("cart.shop"), "endpoint", HOST) == ["10.0.0.9:15006"]


@pytest.mark.parametrize(
    ("spec", "kind", "endpoints"),
    [
        ({"resolution": "DNS"}, "strict_dns", ["db.example:443"]),
        ({"resolution": "DNS_ROUND_ROBIN"}, "logical_dns", ["db.example:443"]),
        ({"resolution": "STATIC", "endpoints": [{"address": "10.1.0.1", "ports": {"tls": 8443}, "weight": 2}]},
         "static", [{"address": "10.1.0.1:8443", "weight": 2}]),
        ({"resolution": "DNS", "endpoints": [{"address": "a.example"}, {"address": "b.example"}]},
         "strict_dns", ["a.example:443", "b.example:443"]),
        ({"resolution": "NONE"}, "strict_dns", ["db.example:443"]),
        ({"resolution": "STATIC", "endpoints": [{"address": "unix:///run/db"}]}, "static", ["unix:/run/db"]),
        ({"resolution": "STATIC", "location": "MESH_INTERNAL", "workloadSelector": {"labels": {"app": "cart"}}},
         "static", ["10.0.0.1:443", "10.0.0.2:443"]),
    ],
)  # fmt: skip
def test_service_entries(spec: dict[str, Any], kind: str, endpoints: list[Any]) -> None:
    ports = [{"number": 443, "name": "tls", "protocol": "TLS"}]
    made = world(manifest("ServiceEntry", "db", {"hosts": ["db.example"], "ports": ports, **spec}), *CARTS)
    one = proxy(dials=(Dial(host="db.example", listen="127.0.0.1:7001"),))
    assert content(made, one, "cluster", "db.example:443").get("type", "static") == kind
    assert content(made, one, "endpoint", "db.example:443") == endpoints
    assert content(made, one, "listener", "outbound:db.example:443")["cluster"] == "db.example:443"


def test_the_proxy_protocol_is_for_connections() -> None:
    ports = ({"port": 80, "name": "http"}, {"port": 6379, "name": "redis"})
    made = world(service("cart", *ports), rule({"proxyProtocol": {"version": "V2"}}))
    one = proxy("cart", dials=(Dial(host="cart"), Dial(host="cart", port=6379, listen="127.0.0.1:6379")))
    assert content(made, one, "cluster", f"{CART}:6379")["send_proxy_protocol"] == "v2"
    assert "send_proxy_protocol" not in content(made, one, "cluster", HOST)


def test_what_is_not_exported_is_unknown() -> None:
    spec = {"hosts": ["db.example"], "ports": [{"number": 80, "name": "http"}], "resolution": "DNS", "exportTo": ["."]}
    made = world(manifest("ServiceEntry", "db", spec))
    assert OutputKey("cluster", "db.example:80") in outputs(made, proxy("db.example"))
    assert OutputKey("cluster", "db.example:80") not in outputs(made, proxy("db.example", namespace="bank"))


def placed(identity: str, address: str, text: str) -> Workload:
    region, zone, sub_zone = text.split("/")
    place = Locality(region=region, zone=zone, sub_zone=sub_zone)
    return Workload(
        id=identity, namespace="shop", name="cart", ports=(), host=address, labels={"app": "cart"}, locality=place
    )
PLACES = [placed(f"p{n}", f"10.0.1.{n}", text) for n, text in enumerate(("a/1/x", "a/1/y", "a/2/x", "b/1/x"))]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({}, [0, 0, 0, 0]),
        ({"outlierDetection": {}}, [0, 1, 2, 3]),
        ({"outlierDetection": {}, "loadBalancer": {"localityLbSetting": {"enabled": False}}}, [0, 0, 0, 0]),
    ],
)
def test_near_endpoints_go_first_where_they_can_fail_over(policy: dict[str, Any], expected: list[int]) -> None:
    one = proxy("cart", locality=Locality(region="a", zone="1", sub_zone="x"))
    made = content(world(service("cart"), rule(policy), *PLACES), one, "endpoint", HOST)
    assert [each.get("priority", 0) for each in made] == expected


def test_shares_of_localities() -> None:
    shares = {"from": "a/*", "to": {"a/1/*": 80, "b/*": 20}}
    made = world(service("cart"), rule({"loadBalancer": {"localityLbSetting": {"distribute": [shares]}}}), *PLACES)
    one = proxy("cart", locality=Locality(region="a", zone="2"))
    weights = content(made, one, "cluster", HOST)["locality_weights"]
    assert [(each["locality"]["region"], each["weight"]) for each in weights] == [("a", 80), ("a", 80), ("b", 20)]
    assert len(content(made, one, "endpoint", HOST)) == 3

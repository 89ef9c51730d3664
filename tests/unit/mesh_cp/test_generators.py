"""What manifests become in a proxy's configuration. Every configuration made here is also checked as a proxy would."""

from __future__ import annotations

from typing import Any

import pytest
from meshes import assembled, content, manifest, outputs, proxy, routes, service, workload, world

from mesh_core.config.schema import Locality
from mesh_cp.generators import Dial, Inbound, OutputKey
from mesh_cp.model import Client, Workload, WorkloadPort
from mesh_cp.resources import Resource

CART = "cart.shop.svc.cluster.local"
HOST = f"{CART}:80"
CARTS = [workload(f"cart-{n}", "cart", f"10.0.0.{n}", version=f"v{n}") for n in (1, 2)]


def virtual(*http: dict[str, Any], **more: Any) -> Resource:
    return manifest("VirtualService", "cart", {"hosts": ["cart"], "http": list(http), **more})


def rule(policy: dict[str, Any], **more: Any) -> Resource:
    subsets = [{"name": name, "labels": {"version": name}} for name in ("v1", "v2")]
    return manifest("DestinationRule", "cart", {"host": "cart", "trafficPolicy": policy, "subsets": subsets, **more})


def to(subset: str = "", weight: int = 0, **more: Any) -> dict[str, Any]:
    destination = {"host": "cart", **({"subset": subset} if subset else {})}
    return {"destination": destination, "weight": weight, **more}


# --- clusters and endpoints ---


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


# --- routes ---


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        ({"uri": {"exact": "/a"}}, {"path": {"exact": "/a"}}),
        ({"uri": {"prefix": "/a.b"}}, {"path": {"regex": r"/a\.b.*"}}),
        ({"uri": {"prefix": "/"}}, {}),
        ({"uri": {"regex": "/v[12]"}}, {"path": {"regex": "/v[12]"}}),
        ({"uri": {"exact": "/a+"}, "ignoreUriCase": True}, {"path": {"regex": r"(?i)/a\+"}}),
        ({"method": {"exact": "GET"}}, {"method": "GET"}),
        ({"headers": {"a": {"prefix": "x"}, "b": {}}},
         {"headers": [{"name": "a", "prefix": "x"}, {"name": "b", "present": True}]}),
        ({"withoutHeaders": {"a": {"exact": "x"}, "b": {}}},
         {"headers": [{"name": "a", "exact": "x", "invert": True}, {"name": "b", "present": False}]}),
        ({"queryParams": {"q": {"regex": "[0-9]+"}}}, {"query_parameters": [{"name": "q", "regex": "[0-9]+"}]}),
    ],
)  # fmt: skip
def test_matches_of_a_virtual_service(match: dict[str, Any], expected: dict[str, Any]) -> None:
    made = routes(world(service("cart"), virtual({"match": [match], "route": [to()]})), proxy("cart"), HOST)
    assert made[0].get("matches", [{}]) == [expected]


@pytest.mark.parametrize(
    ("match", "taken"),
    [
        ({"port": 80}, True), ({"port": 81}, False), ({"sourceNamespace": "shop"}, True),
        ({"sourceNamespace": "bank"}, False), ({"sourceLabels": {"app": "web"}}, True),
        ({"sourceLabels": {"app": "no"}}, False), ({"gateways": ["edge"]}, False), ({"gateways": ["mesh"]}, True),
    ],
)  # fmt: skip
def test_what_matches_ask_of_the_client_is_decided_here(match: dict[str, Any], taken: bool) -> None:
    made = world(service("cart"), virtual({"match": [match], "route": [to()]}))
    one = proxy("cart", client=Client(namespace="shop", labels={"app": "web"}))
    assert [route.get("matches") for route in routes(made, one, HOST)] == ([None] if taken else [])


def test_a_virtual_service_keeps_its_order_and_what_is_never_asked_is_left_out() -> None:
    made = world(service("cart"), virtual(
        {"name": "first", "match": [{"headers": {"a": {"exact": "1"}}}], "route": [to()]},
        {"name": "same", "match": [{"headers": {"a": {"exact": "1"}}}], "route": [to()]},
        {"name": "first", "route": [to()]},
        {"name": "behind", "match": [{"uri": {"exact": "/"}}], "route": [to()]},
    ))  # fmt: skip
    host = content(made, proxy("cart"), "route", f"outbound/{HOST}")["virtual_host"]
    assert (host["route_order"], [route.get("name") for route in host["routes"]]) == ("listed", ["first", None])


@pytest.mark.parametrize(
    ("http", "expected"),
    [
        ({"redirect": {"uri": "/new", "redirectCode": 302}}, {"redirect": {"path": {"full": "/new"}}}),
        ({"redirect": {"authority": "b.example:81", "scheme": "https"}},
         {"redirect": {"scheme": "https", "host": "b.example", "port": 81, "status": 301}}),
        ({"directResponse": {"status": 503, "body": {"string": "no"}}},
         {"direct_response": {"status": 503, "body": "no"}}),
        ({"route": [to()], "rewrite": {"uri": "/v1", "authority": "b.example"}, "match": [{"uri": {"prefix": "/a"}}]},
         {"cluster": HOST, "upgrades": ["websocket"], "matches": [{"path": {"prefix": "/a"}}],
          "rewrite": {"path": {"prefix": "/v1"}, "host": "b.example"}}),
        ({"route": [to()], "rewrite": {"uri": "/v1"}, "match": [{"uri": {"exact": "/a"}}]},
         {"cluster": HOST, "upgrades": ["websocket"], "matches": [{"path": {"exact": "/a"}}],
          "rewrite": {"path": {"full": "/v1"}}}),
        ({"route": [to()], "corsPolicy": {"allowOrigins": [{"exact": "https://a.example"}, {"prefix": "https://b."}],
                                          "allowMethods": ["PUT"], "maxAge": "1m"}},
         {"cluster": HOST, "upgrades": ["websocket"], "cors": {
             "allow_origins": ["https://a.example"], "allow_origin_regexes": [r"https://b\..*"],
             "allow_methods": ["PUT"], "max_age_s": 60, "forward_unmatched_preflights": True}}),
        ({"route": [to()], "fault": {"delay": {"fixedDelay": "2s", "percentage": {"value": 0.5}},
                                     "abort": {"httpStatus": 503}}},
         {"cluster": HOST, "upgrades": ["websocket"], "fault": {
             "delay": {"fixed_ms": 2000, "percentage": 0.5}, "abort": {"status": 503}}}),
        ({"route": [to()], "mirror": {"host": "cart", "subset": "v2"}, "mirrorPercent": 5},
         {"cluster": HOST, "upgrades": ["websocket"], "mirrors": [{"cluster": f"{HOST}/v2", "percentage": 5.0}]}),
        ({"route": [to()], "retries": {"attempts": 3, "perTryTimeout": "2s", "retryOn": "5xx,cancelled,409"}},
         {"cluster": HOST, "upgrades": ["websocket"], "timeouts": {"per_try_ms": 2000},
          "retry": {"attempts": 3, "retry_on": ["5xx", "cancelled"], "status_codes": [409]}}),
        ({"route": [to()], "retries": {"attempts": 0}},
         {"cluster": HOST, "upgrades": ["websocket"], "retry": {"attempts": 0}}),
        ({"route": [to()], "mirrors": [{"destination": {"host": "cart"}, "percentage": {"value": 0}}]},
         {"cluster": HOST, "upgrades": ["websocket"]}),
        ({"route": [to()], "timeout": "1s", "retries": {"attempts": 1, "perTryTimeout": "2s",
                                                        "retryOn": "retriable-headers,reset"}},
         {"cluster": HOST, "upgrades": ["websocket"], "timeouts": {"request_ms": 1000},
          "retry": {"attempts": 1, "retry_on": ["reset"]}}),
        ({"redirect": {"uri": "/new"}, "timeout": "1s", "retries": {"attempts": 1},
          "headers": {"request": {"set": {"y": "1"}}}}, {"redirect": {"path": {"full": "/new"}, "status": 301}}),
        ({"route": [to()], "timeout": "1.5s"},
         {"cluster": HOST, "upgrades": ["websocket"], "timeouts": {"request_ms": 1500}}),
        ({"route": [to(headers={"response": {"remove": ["x"]}})], "headers": {"request": {"set": {"y": "1"}}}},
         {"clusters": [{"cluster": HOST, "response_headers": {"remove": ["x"]}}], "upgrades": ["websocket"],
          "request_headers": {"set": {"y": "1"}}}),
    ],
)  # fmt: skip
def test_what_a_virtual_service_does(http: dict[str, Any], expected: dict[str, Any]) -> None:
    assert routes(world(service("cart"), virtual(http)), proxy("cart"), HOST) == [{"name": "0", **expected}]


def http_route(*rules: dict[str, Any]) -> Resource:
    parents = [{"group": "", "kind": "Service", "name": "cart"}]
    return manifest("HTTPRoute", "cart", {"parentRefs": parents, "rules": list(rules)})


BACKENDS = [{"name": "cart", "port": 80}]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"backendRefs": BACKENDS}, {"cluster": HOST, "upgrades": ["websocket"]}),
        ({"backendRefs": [{**BACKENDS[0], "weight": 0}]},
         {"clusters": [{"cluster": HOST, "weight": 0}], "upgrades": ["websocket"]}),
        ({"backendRefs": [{"name": "no", "port": 80}]}, {"direct_response": {"status": 500}}),
        ({}, {"direct_response": {"status": 500}}),
        ({"filters": [{"type": "RequestRedirect", "requestRedirect": {"hostname": "b.example", "statusCode": 301}}]},
         {"redirect": {"host": "b.example", "status": 301}}),
        ({"backendRefs": BACKENDS, "filters": [
            {"type": "URLRewrite", "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/n"}}},
            {"type": "RequestHeaderModifier", "requestHeaderModifier": {"add": [{"name": "a", "value": "1"}]}}]},
         {"cluster": HOST, "upgrades": ["websocket"], "rewrite": {"path": {"prefix": "/n"}},
          "request_headers": {"add": {"a": "1"}}}),
        ({"backendRefs": BACKENDS, "filters": [
            {"type": "RequestMirror", "requestMirror": {"backendRef": BACKENDS[0],
                                                        "fraction": {"numerator": 1, "denominator": 8}}},
            {"type": "CORS", "cors": {"allowOrigins": ["*"], "allowCredentials": True}}]},
         {"cluster": HOST, "upgrades": ["websocket"], "mirrors": [{"cluster": HOST, "percentage": 12.5}],
          "cors": {"allow_origins": ["*"], "allow_credentials": True}}),
        ({"backendRefs": BACKENDS, "retry": {"codes": [503], "attempts": 4, "backoff": "100ms"}},
         {"cluster": HOST, "upgrades": ["websocket"], "retry": {
             "attempts": 4, "retry_on": ["reset", "connect-failure"], "status_codes": [503], "base_interval_ms": 100}}),
        ({"backendRefs": [{"name": "no", "port": 80}], "retry": {"attempts": 1}, "timeouts": {"request": "1s"},
          "filters": [{"type": "RequestMirror", "requestMirror": {"backendRef": BACKENDS[0]}}]},
         {"direct_response": {"status": 500}}),
        ({"backendRefs": BACKENDS, "timeouts": {"request": "0s", "backendRequest": "0s"}},
         {"cluster": HOST, "upgrades": ["websocket"], "timeouts": {"request_ms": 0, "per_try_ms": 0}}),
        ({"backendRefs": BACKENDS, "timeouts": {"backendRequest": "2s"}},
         {"cluster": HOST, "upgrades": ["websocket"], "timeouts": {"per_try_ms": 2000}}),
        ({"backendRefs": BACKENDS, "sessionPersistence": {"sessionName": "s", "cookie": {"lifetimeType": "Session"}}},
         {"cluster": HOST, "upgrades": ["websocket"], "session_affinity": {"cookie": {"name": "s"}}}),
        ({"backendRefs": BACKENDS, "matches": [
            {"path": {"type": "Exact", "value": "/a"}, "method": "GET", "queryParams": [{"name": "q", "value": "1"}]},
            {"path": {"type": "RegularExpression", "value": "/.*"}, "headers": [{"name": "h", "value": "x"}]}]},
         {"cluster": HOST, "upgrades": ["websocket"], "matches": [
             {"path": {"exact": "/a"}, "method": "GET", "query_parameters": [{"name": "q", "exact": "1"}]},
             {"path": {"regex": "/.*"}, "headers": [{"name": "h", "exact": "x"}]}]}),
    ],
)  # fmt: skip
def test_what_an_http_route_does(rule: dict[str, Any], expected: dict[str, Any]) -> None:
    made = routes(world(service("cart"), http_route(rule)), proxy("cart"), HOST)
    assert made == [{"name": "shop/cart/0", **expected}]


def test_a_destination_without_a_port() -> None:
    two = ({"port": 80, "name": "http"}, {"port": 90, "name": "http-b"})
    first = {"match": [{"uri": {"exact": "/one"}}], "route": [{"destination": {"host": "one"}}]}
    one = service("one", {"port": 7, "name": "http"})
    made = world(service("cart", *two), one, virtual(first, {"route": [to()]}))
    clusters = [route["cluster"] for route in routes(made, proxy("cart"), f"{CART}:90")]
    assert clusters == ["one.shop.svc.cluster.local:7", f"{CART}:90"]


def test_hashing_is_the_destination_s_wish() -> None:
    policy = {"loadBalancer": {"consistentHash": {"httpCookie": {"name": "c", "ttl": "90s"}}}}
    made = routes(world(service("cart"), rule(policy)), proxy("cart"), HOST)
    assert made[0]["hash_policy"] == [{"cookie": {"name": "c", "ttl_s": 90}}]


def test_connections_go_by_tcp_routes() -> None:
    ports = ({"port": 6379, "name": "redis"},)
    backends = [{"name": "old", "port": 6379, "weight": 1}, {"name": "new", "port": 6379, "weight": 9}]
    parents = [{"group": "", "kind": "Service", "name": "cart", "port": 6379}]
    attached = manifest("TCPRoute", "cart", {"parentRefs": parents, "rules": [{"backendRefs": backends}]})
    spec = {"hosts": ["cart"], "tcp": [{"route": [{"destination": {"host": "old"}}]}]}
    services = [service(name, *ports) for name in ("cart", "old", "new")]
    one = proxy(dials=(Dial(host="cart", listen="127.0.0.1:6379"),))

    def cluster(*more: Resource) -> Any:
        return content(world(*services, *more), one, "listener", f"outbound:{CART}:6379")["cluster"]

    assert cluster() == f"{CART}:6379"
    assert cluster(manifest("VirtualService", "cart", spec)) == "old.shop.svc.cluster.local:6379"
    assert cluster(manifest("VirtualService", "cart", spec), attached) == "new.shop.svc.cluster.local:6379"


# --- listeners and hosts ---


def test_hosts_that_requests_may_name() -> None:
    made = world(service("cart", {"port": 8080, "name": "http"}, {"port": 9, "name": "tcp"}))
    hosts = content(made, proxy("*", namespace="bank"), "route", f"outbound/{CART}:8080")["virtual_host"]["hosts"]
    assert hosts == [
        f"{name}:{port}" for name in (CART, "cart.shop", "cart.shop.svc") for port in (8080, 80)
    ]
    assert OutputKey("route", f"outbound/{CART}:9") not in outputs(made, proxy("*"))


def test_a_whole_name_goes_before_a_short_one() -> None:
    spec = {"hosts": ["cart.shop"], "ports": [{"number": 80, "name": "http"}], "resolution": "DNS"}
    made = world(service("cart"), manifest("ServiceEntry", "like", spec))
    hosts = content(made, proxy("*"), "route", f"outbound/{HOST}")["virtual_host"]["hosts"]
    assert "cart:80" in hosts and "cart.shop:80" not in hosts


def test_a_virtual_service_alone_makes_a_host() -> None:
    http = [{"route": [{"destination": {"host": "cart"}}]}]
    made = world(service("cart"), manifest("VirtualService", "v", {"hosts": ["api.example"], "http": http}))
    host = content(made, proxy("*"), "route", "outbound/api.example:80")["virtual_host"]
    assert (host["hosts"], host["routes"][0]["cluster"]) == (["api.example:80"], HOST)


def test_unknown_hosts_are_looked_up_or_refused() -> None:
    allowed = outputs(world(), proxy("api.example", "cart"))
    assert allowed[OutputKey("endpoint", "passthrough:api.example:80")].content == ["api.example:80"]
    for made in (outputs(world(), proxy("api.example", unknown="refuse")), allowed):
        unknown = made[OutputKey("route", "outbound/unknown")].content["virtual_host"]
        assert (unknown["hosts"], unknown["routes"][0]["direct_response"]["status"]) == (["*"], 502)
    assert not [key for key in outputs(world(), proxy("api.example", unknown="refuse")) if key.type == "cluster"]


def test_an_inbound_port_is_a_listener_and_the_workload() -> None:
    ports = (
        Inbound(number=8080, listen="0.0.0.0:15006", app="127.0.0.1:8080", protocol="http"),
        Inbound(number=6379, listen="0.0.0.0:15007", app="unix:/run/redis", protocol="tcp"),
    )
    config = assembled(outputs(world(), proxy(inbound=ports, outbound=None)))
    assert [(each.name, each.protocol, each.traffic_direction) for each in config.listeners] == [
        ("inbound:8080", "http", "inbound"), ("inbound:6379", "tcp", "inbound")]  # fmt: skip


@pytest.mark.parametrize(
    ("port", "expected"),
    [({"name": "http"}, "http"), ({"name": "x"}, "tcp"), ({"name": "http", "targetPort": 1}, "tcp")],
)
def test_an_inbound_port_speaks_what_its_service_says(port: dict[str, Any], expected: str) -> None:
    one = Inbound(number=8080, listen="0.0.0.0:15006", app="127.0.0.1:8080", service="cart")
    made = world(service("cart", {"port": 80, "targetPort": 8080, **port}))
    assert assembled(outputs(made, proxy(inbound=(one,), outbound=None))).listeners[0].protocol == expected


def test_names_too_long_are_cut_and_told_apart() -> None:
    hosts = ["a." * 60 + end for end in ("one.example", "two.example")]
    spec = {"hosts": hosts, "ports": [{"number": 80, "name": "http"}], "resolution": "DNS"}
    made = outputs(world(manifest("ServiceEntry", "long", spec)), proxy("*"))
    assert len([key for key in made if key.type == "cluster"]) == 2

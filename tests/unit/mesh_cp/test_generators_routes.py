"""What manifests become in a proxy's routes, all checked as a proxy would."""

from __future__ import annotations

from typing import Any

import pytest
from meshes import CART, HOST, content, manifest, proxy, routes, rule, service, to, virtual, world

from mesh_cp.generators import Dial
from mesh_cp.model import Client
from mesh_cp.resources import Resource


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

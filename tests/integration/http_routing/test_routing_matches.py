"""Which route a request takes, seen from outside: virtual hosts, paths, methods, headers, queries."""

from __future__ import annotations

from typing import Any

from tests.support.http_messages import request
from tests.support.http_service import HttpService, to

Settings = dict[str, Any]


def says(name: str, *matches: Settings) -> Settings:
    """A route that answers with its name."""
    return {"name": name, "matches": list(matches), "direct_response": {"status": 200, "body": name}}


def answers(service: HttpService, *requests: bytes) -> list[str]:
    """What each request is answered, one after the other on one connection: a route's name, or a status."""
    found = []
    with service.client() as client:
        for each in requests:
            response = client.exchange(each, each.split(b" ")[0])
            found.append(response.body.decode() if response.status == 200 else str(response.status))
    return found


def test_virtual_hosts(service: HttpService) -> None:
    """A whole name, then the longest wildcard, then any; of each, one with a port first; none: 404."""

    def virtual_host(name: str, *hosts: str) -> Settings:
        return {"name": name, "hosts": list(hosts), "routes": [says(name)]}

    service.serve(virtual_hosts=[
        virtual_host("shop", "shop.example", "[::1]"), virtual_host("shop-8080", "shop.example:8080"),
        virtual_host("below", "*.shop.example"), virtual_host("deep", "*.eu.shop.example"),
        virtual_host("port", "*:9000"), {"name": "empty", "hosts": ["empty.example"], "routes": []},
    ])  # fmt: skip
    expected = {
        b"shop.example": "shop", b"SHOP.Example": "shop", b"shop.example.": "shop", b"shop.example:80": "shop",
        b"shop.example:8080": "shop-8080", b"shop.example:9000": "shop", b"[::1]": "shop", b"[::1]:99": "shop",
        b"a.shop.example": "below", b"b.a.shop.example:1": "below", b"de.eu.shop.example": "deep",
        b"eu.shop.example": "below", b"other.example:9000": "port", b"other.example": "404", b"empty.example": "404",
        b"xshop.example": "404",
    }  # fmt: skip
    found = answers(service, *(request(host=b"Host: " + host) for host in expected))
    assert dict(zip(expected, found, strict=True)) == expected
    assert answers(service, request(line=b"GET http://a.shop.example/x HTTP/1.1", host=b"Host: shop.example")) == [
        "below"]  # fmt: skip
    stats = service.listener()
    assert stats["no_route"] == stats["downstream_rq_4xx"] == list(expected.values()).count("404")
    assert stats["rq_direct_response"] == stats["downstream_rq_2xx"] == len(expected) + 1 - stats["no_route"]


def test_a_request_of_10_without_a_host(service: HttpService) -> None:
    service.serve(virtual_hosts=[
        {"name": "a", "hosts": ["a.example"], "routes": [says("a")]},
        {"name": "any", "hosts": ["*"], "routes": [says("any")]},
    ])  # fmt: skip
    assert answers(service, request(line=b"GET / HTTP/1.0", host=None)) == ["any"]


def test_paths(service: HttpService) -> None:
    """Exact, then regular expressions, then prefixes by segment, the longest first; whatever the order."""
    service.serve(routes=[
        says("rest"), says("users", {"path": {"prefix": "/users"}}), says("list", {"path": {"prefix": "/users/list/"}}),
        says("one", {"path": {"regex": "/users/[0-9]+"}}), says("me", {"path": {"exact": "/users/7"}}),
    ])  # fmt: skip
    expected = {
        b"/": "rest", b"/user": "rest", b"/users": "users", b"/users/": "users", b"/usersx": "rest",
        b"/users?x=/users/list": "users", b"/users/list": "list", b"/users/list/a": "list", b"/users/lists": "users",
        b"/users/12": "one", b"/users/12/": "users", b"/users/7": "me", b"/users/7?q": "me", b"/USERS": "rest",
        b"*": "rest",
    }  # fmt: skip
    lines = [(b"OPTIONS " if target == b"*" else b"GET ") + target + b" HTTP/1.1" for target in expected]
    found = answers(service, *(request(line=line) for line in lines))
    assert dict(zip(expected, found, strict=True)) == expected


def test_methods_headers_and_queries(service: HttpService) -> None:
    """Each decides only where the paths are equal, in this order; what is said of connections counts as absent."""
    api: Settings = {"path": {"prefix": "/api"}}
    service.serve(routes=[
        says("any", api),
        says("post", api | {"method": "POST"}),
        says("canary", api | {"headers": [{"name": "X-Env", "exact": "canary"}]}),
        says("both", api | {"headers": [{"name": "x-env", "regex": "can.*"}, {"name": "x-user", "present": True}]}),
        says("v2", api | {"query_parameters": [{"name": "v v", "exact": "2+"}]}),
        says("old", {"path": {"prefix": "/old"}, "headers": [{"name": "x-new", "exact": "1", "invert": True}]}),
    ])  # fmt: skip
    post = b"POST /api HTTP/1.1"
    get = b"GET /api HTTP/1.1"
    cases = [
        (request(line=get), "any"),
        (request(b"Content-Length: 0", line=post), "post"),
        (request(b"Content-Length: 0", b"X-Env: canary", line=post), "post"),
        (request(b"x-env:canary", line=get), "canary"),
        (request(b"x-env: Canary", line=get), "any"),
        (request(b"x-env: canary", b"x-env: b", line=get), "any"),
        (request(b"x-env: canary", b"X-User:", line=get), "both"),
        (request(b"x-env: canary", b"x-user: 1", b"Connection: x-user", line=get), "canary"),
        (request(line=b"GET /api?a&v+v=2%2B HTTP/1.1"), "v2"),
        (request(line=b"GET /api?v%20v=2%2B&v+v=3 HTTP/1.1"), "v2"),
        (request(line=b"GET /api?v+v=3&v+v=2%2B HTTP/1.1"), "any"),
        (request(b"x-env: canary", line=b"GET /api?v+v=2%2B HTTP/1.1"), "canary"),
        (request(line=b"GET /old HTTP/1.1"), "old"),
        (request(b"x-new: 2", line=b"GET /old HTTP/1.1"), "old"),
        (request(b"x-new: 1", line=b"GET /old HTTP/1.1"), "404"),
    ]
    assert answers(service, *(asked for asked, _ in cases)) == [name for _, name in cases]


ADMIN = [says("admin", {"path": {"prefix": "/admin"}}), {"name": "rest", "cluster": "app"}]


def test_paths_are_normalized_before_anybody_decides(service: HttpService) -> None:
    """No spelling of a path gets around a route; and the upstream gets what the routes saw."""
    origin = service.origin()
    service.serve(to(origin), routes=ADMIN)
    disguised = (b"/../admin", b"/x/../admin/y", b"/./admin", b"/%61dmin", b"/x/%2e%2E/admin", b"/a/b/../../admin")
    for target in (b"/admin", *disguised):
        assert service.get(target).body == b"admin", target
    spellings = {
        b"/x/../y?a=/../b": b"/y?a=/../b", b"/%7euser": b"/~user", b"/a%2fb": b"/a%2fb", b"//admin": b"//admin",
        b"/a/./b/": b"/a/b/", b"/%20x": b"/%20x",
    }  # fmt: skip
    for target in spellings:
        assert service.get(target).status == 200
    assert [message.target.lower() for message in origin.requests] == [each.lower() for each in spellings.values()]


def test_slashes(service: HttpService) -> None:
    """Merged, refused, redirected or decoded, as the listener says, and before routing."""
    origin = service.origin()
    for action, merge, target, status in [
        ("reject_request", False, b"/x%2fadmin", 400), ("unescape_and_redirect", False, b"/x%2F..%5cadmin?q", 307),
        ("unescape_and_forward", False, b"/x/..%2fadmin", 200), ("keep_unchanged", True, b"//admin", 200),
    ]:  # fmt: skip
        http = {"path_with_escaped_slashes_action": action, "merge_slashes": merge}
        if hasattr(service, "proxy"):
            service.apply(to(origin), routes=ADMIN, http=http)
        else:
            service.serve(to(origin), routes=ADMIN, http=http)
        response = service.get(target)
        assert response.status == status, action
        if status == 200:
            assert response.body == b"admin"
        if status == 307:
            assert response.values(b"Location") == [b"/admin?q"]
    assert origin.requests == []

"""What a route does: redirects, answers of its own, other paths and hosts, other headers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.http_messages import get, ok, request
from tests.support.http_service import HttpService, to

Settings = dict[str, Any]


@pytest.mark.parametrize(("redirect", "host", "target", "location"), [
    ({"host": "b.example"}, b"a", b"/x?q=1", b"http://b.example:PORT/x?q=1"),
    ({"host": "b.example"}, b"a:99", b"/", b"http://b.example:99/"),
    ({"scheme": "https"}, b"a:99", b"/x", b"https://a/x"),
    ({"scheme": "https", "port": 8443}, b"a", b"/x", b"https://a:8443/x"),
    ({"port": 80}, b"a:99", b"/x", b"http://a/x"),
    ({"path": {"prefix": "/new"}}, b"a:99", b"/old/x?q", b"http://a:99/new/x?q"),
    ({"path": {"full": "/new"}, "strip_query": True}, b"a:99", b"/old/x?q", b"http://a:99/new"),
])  # fmt: skip
def test_redirects(service: HttpService, redirect: Settings, host: bytes, target: bytes, location: bytes) -> None:
    proxy = service.serve(routes=[
        {"matches": [{"path": {"prefix": "/old"}}], "redirect": redirect}, {"redirect": redirect | {"status": 308}}
        if "path" not in redirect else {"direct_response": {"status": 404}},
    ])  # fmt: skip
    response = service.get(target, host=b"Host: " + host)
    port = proxy.address().rpartition(":")[2].encode()
    assert response.values(b"Location") == [location.replace(b"PORT", port)]
    assert response.status == (302 if "path" in redirect else 308)
    assert service.listener()["rq_redirect"] == service.listener()["downstream_rq_3xx"] == 1


def test_a_redirect_keeps_the_connection(service: HttpService) -> None:
    """Every status, one after the other on one connection; a body that is asked along is not waited for."""
    statuses = [301, 302, 303, 307, 308]
    service.serve(routes=[
        {"matches": [{"path": {"exact": f"/{status}"}}], "redirect": {"status": status, "host": "b"}}
        for status in statuses
    ])  # fmt: skip
    with service.client() as client:
        for status in statuses:
            response = client.exchange(get(b"/%d" % status))
            assert (response.status, response.values(b"Connection")) == (status, [])
        client.send(request(b"Content-Length: 5", line=b"POST /301 HTTP/1.1"))
        response = client.response(b"POST")
        assert (response.status, response.values(b"Connection")) == (301, [b"close"])
        assert client.expect_closed() == "end"


def test_direct_responses(service: HttpService) -> None:
    """Status, body and type as configured; HEAD has no body but its length; 204 has nothing."""
    service.serve(routes=[
        {"matches": [{"path": {"exact": "/teapot"}}],
         "direct_response": {"status": 418, "body": "\u00fcber", "content_type": "text/plain; charset=utf-8"},
         "response_headers": {"set": {"x-a": "1"}}},
        {"matches": [{"path": {"exact": "/none"}}], "direct_response": {"status": 204}},
        {"matches": [{"path": {"exact": "/empty"}}], "direct_response": {"status": 200}},
    ])  # fmt: skip
    with service.client() as client:
        for method in (b"GET", b"HEAD", b"GET"):
            response = client.exchange(request(line=method + b" /teapot HTTP/1.1"), method)
            assert response.status == 418
            assert response.values(b"Content-Type") == [b"text/plain; charset=utf-8"]
            assert response.values(b"Content-Length") == [b"5"]
            assert response.values(b"X-A") == [b"1"]
            assert len(response.values(b"Date")) == 1
            assert response.body == (b"" if method == b"HEAD" else "\u00fcber".encode())
        response = client.exchange(get(b"/none"))
        assert (response.status, response.values(b"Content-Length")) == (204, [])
        response = client.exchange(get(b"/empty"))
        assert (response.status, response.body, response.values(b"Content-Length")) == (200, b"", [b"0"])
    assert service.listener()["rq_direct_response"] == 5


@pytest.mark.parametrize(("match", "rewrite", "target", "upstream"), [
    ({"prefix": "/foo"}, {"path": {"prefix": "/xyz/"}}, b"/foo/bar?q=/foo", b"/xyz/bar?q=/foo"),
    ({"prefix": "/foo"}, {"path": {"prefix": "/xyz"}}, b"/foo", b"/xyz"),
    ({"prefix": "/foo"}, {"path": {"prefix": "/"}}, b"/foo", b"/"),
    ({"prefix": "/foo"}, {"path": {"prefix": ""}}, b"/foo/bar", b"/bar"),
    ({"prefix": "/foo"}, {"path": {"prefix": "/a"}}, b"/x/../foo/%62ar", b"/a/bar"),
    ({"regex": "/foo/.*"}, {"path": {"full": "/one"}}, b"/foo/bar?q", b"/one?q"),
    ({"exact": "/foo"}, {"path": {"full": "/one"}}, b"/foo", b"/one"),
])  # fmt: skip
def test_other_paths(service: HttpService, match: Settings, rewrite: Settings, target: bytes, upstream: bytes) -> None:
    origin = service.origin()
    service.serve(to(origin), routes=[{"matches": [{"path": match}], "cluster": "app", "rewrite": rewrite}])
    assert service.get(target).status == 200
    (message,) = origin.requests
    assert message.target == upstream
    assert message.values(b"Host") == [b"a"]


def test_another_host(service: HttpService) -> None:
    origin = service.origin()
    service.serve(to(origin), routes=[{"cluster": "app", "rewrite": {"host": "inner.example:81"}}])
    for host in (b"Host: a", b"Host: b:9"):
        assert service.get(b"/x", host=host).status == 200
    assert [message.values(b"Host") for message in origin.requests] == [[b"inner.example:81"]] * 2


def test_other_headers(service: HttpService) -> None:
    """Removed, set and added, in requests and in responses; what is not named stays, in its order and spelling."""
    origin = service.origin()
    edits = {"remove": ["x-gone"], "set": {"x-set": "new"}, "add": {"x-more": "2"}}
    service.serve(
        to(origin), http={"forwarded_headers": "keep", "generate_request_id": False},
        routes=[{"cluster": "app", "request_headers": edits, "response_headers": edits}],
    )  # fmt: skip
    fields = (b"X-Keep: a", b"X-GONE: 1", b"x-Set: old", b"X-Set: older", b"X-More: 1", b"x-gone: 2", b"x-last: z")
    origin.on(b"/", ok(b"hi", *fields))
    response = service.get(b"/", *fields)
    (message,) = origin.requests
    for found in (message, response):
        assert found.values(b"X-Gone") == []
        assert found.values(b"X-Set") == [b"new"]
        assert found.values(b"X-More") == [b"1", b"2"]
        names = [name for name, _ in found.fields]
        assert names.index(b"X-Keep") < names.index(b"X-More") < names.index(b"x-last")
    assert response.body == b"hi"


def test_the_proxys_own_headers_are_changed_too(service: HttpService) -> None:
    """What it would add by itself is removed, replaced or joined as what was received is."""
    origin = service.origin()
    edits = {"remove": ["X-Request-Id"], "set": {"x-forwarded-proto": "quic"}, "add": {"x-forwarded-for": "::1"}}
    service.serve(to(origin), routes=[{"cluster": "app", "request_headers": edits}])
    assert service.get(b"/", b"X-Request-ID: 1", b"X-Forwarded-For: 2001:db8::1").status == 200
    (message,) = origin.requests
    assert message.values(b"X-Request-Id") == []
    assert message.values(b"X-Forwarded-Proto") == [b"quic"]
    assert message.values(b"X-Forwarded-For") == [b"2001:db8::1, 127.0.0.1", b"::1"]


SENT = (b"x-Request-ID: mine", b"X-FORWARDED-FOR: 1.2.3.4", b"X-Forwarded-Proto: sent")


@pytest.mark.parametrize(("settings", "sent", "forwarded_for", "proto"), [
    ({}, SENT, [b"1.2.3.4, 127.0.0.1"], [b"sent"]),
    ({}, (), [b"127.0.0.1"], [b"http"]),
    ({}, (b"X-Forwarded-For:",), [b"127.0.0.1"], [b"http"]),
    ({}, (b"X-Forwarded-For: " + b"1" * 8100,), [b"1" * 8100, b"127.0.0.1"], [b"http"]),
    ({"forwarded_headers": "overwrite"}, SENT + SENT, [b"127.0.0.1"], [b"http"]),
    ({"forwarded_headers": "keep"}, SENT, [b"1.2.3.4"], [b"sent"]),
    ({"forwarded_headers": "keep"}, (), [], []),
])  # fmt: skip
def test_where_a_request_came_from(
    service: HttpService, settings: Settings, sent: tuple[bytes, ...], forwarded_for: list[bytes], proto: list[bytes]
) -> None:
    origin = service.origin()
    service.serve(to(origin), http=settings)
    assert service.get(b"/", *sent).status == 200
    (message,) = origin.requests
    assert message.values(b"X-Forwarded-For") == forwarded_for
    assert message.values(b"X-Forwarded-Proto") == proto


@pytest.mark.parametrize(("settings", "kept", "made"), [
    ({}, True, False),
    ({"generate_request_id": False}, True, False),
    ({"preserve_external_request_id": False}, False, True),
    ({"generate_request_id": False, "preserve_external_request_id": False}, False, False),
])  # fmt: skip
def test_the_id_of_a_request(service: HttpService, settings: Settings, kept: bool, made: bool) -> None:
    origin = service.origin()
    service.serve(to(origin), http=settings)
    assert service.get(b"/", b"x-Request-ID: mine").status == 200
    (message,) = origin.requests
    values = message.values(b"X-Request-Id")
    assert (b"mine" in values) is kept
    assert len(values) == kept + made


def test_answers_of_the_proxy_are_changed_too(service: HttpService) -> None:
    """Also that nobody is there."""
    service.serve(to(), routes=[{"cluster": "app", "response_headers": {"set": {"x-mesh": "yes"}}}])
    response = service.get(b"/")
    assert (response.status, response.values(b"X-Mesh")) == (503, [b"yes"])

"""Answers of the proxy's own, as the configuration wants them."""

from __future__ import annotations

import json
from typing import Any

from tests.support.http_messages import get, ok, request
from tests.support.http_service import HttpService, to
from tests.support.peer import refusing

JSON = {
    "body": (
        '{"status": %RESPONSE_CODE%, "flags": "%RESPONSE_FLAGS%", "reason": "%RESPONSE_CODE_DETAILS%", '
        '"was": "%LOCAL_REPLY_BODY%", "connection": %CONNECTION_ID%, "left": "100%%"}'
    ),
    "content_type": "application/json",
}
DIRECT = {
    "name": "direct", "matches": [{"path": {"prefix": "/direct"}}],
    "direct_response": {"status": 503, "body": "said by a route"},
}


def test_errors_as_json(service: HttpService) -> None:
    """What the endpoint and the routes say stays as it is."""
    origin = service.origin()
    origin.on(b"/own", b"HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nno")
    only = {"name": "own", "matches": [{"path": {"prefix": "/own"}}], "cluster": "app"}
    service.serve(to(origin), routes=[only, DIRECT], http={"local_replies": [JSON]}, access_log=service.log)
    with service.client() as client:
        answer = client.exchange(get(b"/nowhere"))
        assert client.exchange(get(b"/direct")).body == b"said by a route"
        assert client.exchange(get(b"/own")).body == b"no"
        headless = client.exchange(request(line=b"HEAD /nowhere HTTP/1.1"), b"HEAD")
    body = json.loads(answer.body)
    connection = body.pop("connection")
    assert body == {
        "status": 404, "flags": "NR", "reason": "route_not_found", "was": "route_not_found", "left": "100%",
    }
    assert isinstance(connection, int)
    assert (answer.status, answer.values(b"Content-Type")) == (404, [b"application/json"])
    assert (headless.status, headless.values(b"Content-Length")) == (404, [b"%d" % len(answer.body)])


def test_the_first_that_fits(service: HttpService) -> None:
    """By status, flag and detail, all that are given; the record has the status that was sent, and the true reason."""
    replies: list[dict[str, Any]] = [
        {"statuses": [404], "flags": ["UF"], "body": "both"},
        {"statuses": [403, 404], "details": ["route_not_found", "redirect"], "status": 410, "body": ""},
        {"flags": ["UH", "UF"], "status": 500, "headers": {"set": {"Retry-After": "5", "content-type": "x/y"}}},
        {"body": "the last"},
    ]
    with refusing() as nobody:
        service.serve(to(nobody), routes=[
            {"name": "app", "matches": [{"path": {"prefix": "/app"}}], "cluster": "app",
             "response_headers": {"set": {"x-route": "app"}}},
        ], http={"local_replies": replies, "accept_http_10": False}, access_log=service.log)
        with service.client() as client:
            gone = client.exchange(get(b"/nowhere"))
            failed = client.exchange(get(b"/app"))
        with service.client() as client:
            old = client.exchange(b"GET / HTTP/1.0\r\n\r\n")
    assert (gone.status, gone.body, gone.values(b"Content-Length")) == (410, b"", [b"0"])
    assert (failed.status, failed.body) == (500, b"connect_failed")
    assert [failed.values(name) for name in (b"Retry-After", b"Content-Type", b"x-route")] == [
        [b"5"], [b"x/y"], [b"app"]]
    assert (old.status, old.body, old.values(b"Content-Type")) == (426, b"the last", [b"text/plain"])
    records = service.proxy.records(3)
    assert [(each["response_code"], each["response_code_details"]) for each in records] == [
        (410, "route_not_found"), (500, "connect_failed"), (426, "low_version")]


def test_a_body_of_the_most(service: HttpService) -> None:
    """As many operators as there is room for, and no more than a reply may have."""
    body = "%RESPONSE_CODE_DETAILS%" * 178
    service.serve(to(), routes=[DIRECT], http={"local_replies": [{"body": body}]})
    assert service.get(b"/").body == b"route_not_found" * 178


def test_a_reload_changes_them(service: HttpService) -> None:
    """From the next request on, also of a connection that is there."""
    origin = service.origin()
    origin.on(b"/", ok(b"fine"))
    service.serve(to(origin), routes=[DIRECT])
    with service.client() as client:
        assert client.exchange(get(b"/")).body == b"route_not_found"
        service.apply(to(origin), routes=[DIRECT], http={"local_replies": [{"body": "else"}]})
        assert client.exchange(get(b"/")).body == b"else"

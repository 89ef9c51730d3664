"""Where redirects lead."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from routed import answering, request

from mesh_core._testing.route_actions import Unwritten, is_origin_form


@pytest.mark.parametrize(
    ("redirect", "asked", "wanted"),
    [
        # The port: the redirect's, that of its scheme, the one that was asked for, the listener's.
        ({"scheme": "https"}, {"host": "a.example"}, "https://a.example/p?q"),
        ({"scheme": "https"}, {"host": "a.example:8080", "local_port": 8080}, "https://a.example/p?q"),
        ({"scheme": "https", "port": 443}, {}, "https://shop.example/p?q"),
        ({"scheme": "https", "port": 80}, {}, "https://shop.example:80/p?q"),
        ({"scheme": "http", "port": 443}, {}, "http://shop.example:443/p?q"),
        ({"scheme": "http"}, {"secure": True, "local_port": 443}, "http://shop.example/p?q"),
        ({"host": "b.example"}, {}, "http://b.example/p?q"),
        ({"host": "b.example"}, {"local_port": 8080}, "http://b.example:8080/p?q"),
        ({"host": "b.example"}, {"host": "a.example:81", "local_port": 8080}, "http://b.example:81/p?q"),
        ({"host": "b.example"}, {"host": "a.example:80", "local_port": 8080}, "http://b.example/p?q"),
        ({"host": "b.example"}, {"secure": True, "local_port": 443}, "https://b.example/p?q"),
        ({"host": "b.example"}, {"secure": True, "local_port": 8443}, "https://b.example:8443/p?q"),
        ({"host": "b.example"}, {"local_port": 0}, "http://b.example/p?q"),
        ({"port": 8080}, {"host": "a.example:81"}, "http://a.example:8080/p?q"),
        ({"port": 80}, {"host": "a.example:81"}, "http://a.example/p?q"),
        # Hosts.
        ({"port": 81}, {"host": "[::1]:80"}, "http://[::1]:81/p?q"),
        ({"port": 81}, {"host": "[2001:db8::8080]"}, "http://[2001:db8::8080]:81/p?q"),
        ({"host": "[::2]", "port": 81}, {"host": "[::1]"}, "http://[::2]:81/p?q"),
        ({"host": "10.0.0.1"}, {"host": None}, "http://10.0.0.1/p?q"),
        # Paths and queries.
        ({"path": {"full": "/new"}}, {}, "http://shop.example/new?q"),
        ({"path": {"full": "/new"}, "strip_query": True}, {}, "http://shop.example/new"),
        ({"port": 81, "strip_query": True}, {}, "http://shop.example:81/p"),
    ],
)
def test_locations(redirect: dict[str, Any], asked: dict[str, Any], wanted: str) -> None:
    assert answering(redirect=redirect).location(request("/p?q", **asked)) == wanted.encode()


def test_targets_without_a_path() -> None:
    route = answering(redirect={"scheme": "https"})
    assert route.location(request("http://a.example", host="a.example")) == b"https://a.example/"
    assert route.location(request("*", method="OPTIONS")) == b"https://shop.example/"
    assert route.location(request("a.example:81", method="CONNECT", host="a.example:81")) == b"https://a.example/"


def test_a_request_without_host() -> None:
    with pytest.raises(Unwritten, match="no host"):
        answering(redirect={"path": {"full": "/new"}}).location(request("//evil.example/", host=None))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_statuses(status: int) -> None:
    assert answering(redirect={"scheme": "https", "status": status}).redirect_status == status


def test_the_default_status() -> None:
    assert answering(redirect={"scheme": "https"}).redirect_status == 302


def test_locations_that_do_not_fit() -> None:
    route = answering(redirect={"scheme": "https", "port": 8443, "path": {"full": "/new"}})
    asked = request("/p?query")
    whole = route.location(asked)
    assert route.location(asked, len(whole)) == whole
    for capacity in range(len(whole)):
        with pytest.raises(Unwritten, match="overflow"):
            route.location(asked, capacity)


@given(st.binary(max_size=60), st.sampled_from(["", "/", "/x", "/x/"]))
def test_no_request_leads_to_another_host(target: bytes, prefix: str) -> None:
    try:
        asked = request(b"/" + target)
    except ValueError:
        return
    for redirect in ({"path": {"prefix": prefix}}, {"scheme": "https"}):
        location = answering(prefix="/", redirect=redirect).location(asked)
        scheme, _, rest = location.partition(b"://")
        assert scheme in (b"http", b"https")
        assert rest.startswith(b"shop.example/")
        assert is_origin_form(rest.removeprefix(b"shop.example"))


def test_direct_responses() -> None:
    route = answering(direct_response={"status": 404, "body": "nö"})
    assert route.direct_response == (404, "nö".encode(), b"text/plain")
    route = answering(direct_response={"status": 503, "content_type": "application/json"})
    assert route.direct_response == (503, b"", b"application/json")



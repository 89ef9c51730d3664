"""Hash policies: who asks with the same header, cookie, parameter or address gets the same endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.support.http_messages import get
from tests.support.http_oracles import Message
from tests.support.http_origin import HttpOrigin
from tests.support.http_service import HttpService, cookie_of, to

Settings = dict[str, Any]
KEYS = 40


@pytest.fixture(params=["ring_hash", "maglev"])
def balancer(request: pytest.FixtureRequest) -> str:
    """Either balancer that goes by a hash."""
    return request.param


@pytest.fixture
def origins(service: HttpService) -> list[HttpOrigin]:
    """Four of them, each telling which one it is."""
    found = [service.origin() for _ in range(4)]
    for number, origin in enumerate(found):
        origin.default = lambda _, number=number: b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % number
    return found


def serve(
    service: HttpService, origins: Sequence[HttpOrigin], balancer: str, *policies: Settings, **more: Any
) -> None:
    routes = [{"cluster": "app", "hash_policy": list(policies)}]
    service.serve(to(*origins, load_balancer=balancer), routes=routes, **more)


def places(service: HttpService, asked: Sequence[bytes], *fields: bytes) -> list[bytes]:
    """Where each of these requests goes; each on a connection of its own."""
    return [service.get(target, *fields).body for target in asked]


def of_header(service: HttpService, count: int = KEYS) -> list[bytes]:
    return [service.get(b"/", b"X-User: user-%d" % number).body for number in range(count)]


def test_by_header(service: HttpService, origins: list[HttpOrigin], balancer: str) -> None:
    """The same value, the same endpoint, by whichever worker and connection; many values, every endpoint."""
    serve(service, origins, balancer, {"header": "X-User"}, workers=2)
    first = of_header(service)
    assert of_header(service) == first
    assert set(first) == {b"0", b"1", b"2", b"3"}
    with service.client() as client:
        again = [client.exchange(get(b"/x", b"x-user: user-%d" % number)).body for number in range(KEYS)]
    assert again == first


def test_without_a_hash_it_is_chance(service: HttpService, origins: list[HttpOrigin], balancer: str) -> None:
    """What the policy looks for is not there: 60 choices fall on more than one of four."""
    serve(service, origins, balancer, {"header": "x-user"})
    assert len(set(places(service, [b"/"] * 60))) > 1


def test_by_query_parameter(service: HttpService, origins: list[HttpOrigin], balancer: str) -> None:
    serve(service, origins, balancer, {"query_parameter": "user"})
    targets = [b"/%d?a=%d&user=%d" % (number, number, number % 10) for number in range(KEYS)]
    found = places(service, targets)
    assert all(found[number] == found[number % 10] for number in range(KEYS))
    assert len(set(found)) > 1


def test_by_address(service: HttpService, origins: list[HttpOrigin], balancer: str) -> None:
    """Other connections have other ports, which do not count."""
    serve(service, origins, balancer, {"source_ip": True})
    assert len(set(places(service, [b"/%d" % number for number in range(KEYS)]))) == 1


def test_a_terminal_policy(service: HttpService, origins: list[HttpOrigin], balancer: str) -> None:
    """The header alone decides where there is one; else the address does."""
    serve(service, origins, balancer, {"header": "x-user", "terminal": True}, {"query_parameter": "n"})
    first = of_header(service)
    with_more = [service.get(b"/?n=%d" % number, b"X-User: user-%d" % number).body for number in range(KEYS)]
    assert with_more == first
    by_query = places(service, [b"/?n=%d" % number for number in range(KEYS)])
    assert by_query == places(service, [b"/?n=%d" % number for number in range(KEYS)])
    assert len(set(by_query)) > 1


def test_by_a_cookie_that_is_made(service: HttpService, origins: list[HttpOrigin], balancer: str) -> None:
    """Who has none gets one, and its first request went already where those with it go."""
    serve(service, origins, balancer, {"cookie": {"name": "user", "ttl_s": 60, "path": "/p"}}, workers=2)
    places_of: dict[bytes, bytes] = {}
    for _ in range(KEYS):
        response = service.get(b"/")
        value = cookie_of(response, b"user")
        assert len(value) == 16
        attributes = response.values(b"Set-Cookie")[0].split(b"; ")[1:]
        assert {each.lower() for each in attributes} >= {b"max-age=60", b"path=/p"}
        places_of[value] = response.body
    assert len(places_of) == KEYS
    assert len(set(places_of.values())) == 4
    for value, place in places_of.items():
        response = service.get(b"/", b"Cookie: a=b; user=" + value)
        assert response.body == place
        assert response.values(b"Set-Cookie") == []


def test_a_cookie_without_ttl_is_not_made(service: HttpService, origins: list[HttpOrigin], balancer: str) -> None:
    serve(service, origins, balancer, {"cookie": {"name": "user"}})
    assert service.get(b"/").values(b"Set-Cookie") == []
    found: list[Message] = [service.get(b"/", b"Cookie: user=%d" % (number % 8)) for number in range(KEYS)]
    assert all(found[number].body == found[number % 8].body for number in range(KEYS))


def test_an_endpoint_less_moves_its_own_only(
    service: HttpService, origins: list[HttpOrigin], balancer: str
) -> None:
    """Few others move: with Maglev hardly any, with ring hash those who meet points that the others have now more of.
    By a plain modulo it would be two of three."""
    routes = [{"cluster": "app", "hash_policy": [{"header": "x-user"}]}]
    serve(service, origins, balancer, {"header": "x-user"})
    before = of_header(service, 100)
    service.apply(to(*origins[:3], load_balancer=balancer), routes=routes)
    after = of_header(service, 100)
    moved = [number for number in range(100) if before[number] != after[number]]
    lost = [number for number in range(100) if before[number] == b"3"]
    assert lost
    assert set(lost) <= set(moved)
    assert len(moved) - len(lost) <= (100 - len(lost)) * 4 // 10
    service.apply(to(*origins, load_balancer=balancer), routes=routes)
    assert of_header(service, 100) == before

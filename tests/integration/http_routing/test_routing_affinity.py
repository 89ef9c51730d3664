"""Session affinity: a cookie names the endpoint, for as long as that is there."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.http_messages import get
from tests.support.http_origin import HttpOrigin
from tests.support.http_service import HttpService, cookie_of, to

Settings = dict[str, Any]
ASKED = 12


def route(**more: Any) -> Settings:
    return {"cluster": "app", "session_affinity": {"cookie": {"name": "session"}, **more}}


@pytest.fixture
def origins(service: HttpService) -> list[HttpOrigin]:
    """Three of them, each telling which one it is."""
    found = [service.origin() for _ in range(3)]
    for number, origin in enumerate(found):
        origin.default = lambda _, number=number: b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % number
    return found


def session(service: HttpService) -> tuple[bytes, int]:
    """A new session: its cookie, and the number of its origin."""
    response = service.get(b"/")
    return cookie_of(response, b"session"), int(response.body)


def goes_to(service: HttpService, cookie: bytes) -> set[int]:
    """Where requests with it go; none of them gets another cookie."""
    found = set()
    for number in range(ASKED):
        response = service.get(b"/%d" % number, b"Cookie: a=b; session=" + cookie)
        assert response.status == 200
        assert response.values(b"Set-Cookie") == []
        found.add(int(response.body))
    return found


def test_a_session_stays(service: HttpService, origins: list[HttpOrigin]) -> None:
    """Whatever the balancer would say, by every worker, and after reloads."""
    service.serve(to(*origins, load_balancer="round_robin"), routes=[route()], workers=2)
    sessions = dict(session(service) for _ in range(9))
    assert set(sessions.values()) == {0, 1, 2}
    for cookie, place in sessions.items():
        assert goes_to(service, cookie) == {place}
    service.apply(to(*reversed(origins)), routes=[route()], workers=2)
    for cookie, place in sessions.items():
        assert goes_to(service, cookie) == {place}


def test_the_cookie_tells_no_address(service: HttpService, origins: list[HttpOrigin]) -> None:
    service.serve(to(*origins), routes=[{
        "cluster": "app", "session_affinity": {"cookie": {"name": "session", "ttl_s": 60, "path": "/p"}}}])
    response = service.get(b"/")
    (field,) = response.values(b"Set-Cookie")
    assert {each.lower() for each in field.split(b"; ")[1:]} >= {b"max-age=60", b"path=/p"}
    for origin in origins:
        assert origin.address.encode() not in field
        assert origin.address.rpartition(":")[2].encode() not in field


@pytest.mark.parametrize("cookie", [b"", b"nonsense", b"0" * 48, b"\xff\xfe", b"x" * 5000])
def test_what_is_no_session_counts_as_none(service: HttpService, origins: list[HttpOrigin], cookie: bytes) -> None:
    service.serve(to(*origins), routes=[route()])
    response = service.get(b"/", b"Cookie: session=" + cookie)
    assert response.status == 200
    new = cookie_of(response, b"session")
    assert goes_to(service, new) == {int(response.body)}


def test_its_endpoint_goes_away(service: HttpService, origins: list[HttpOrigin]) -> None:
    """The session begins anew with another one; when the first comes back, it stays there."""
    service.serve(to(*origins), routes=[route()])
    cookie, place = session(service)
    left = [origin for number, origin in enumerate(origins) if number != place]
    service.apply(to(*left), routes=[route()])
    response = service.get(b"/", b"Cookie: session=" + cookie)
    assert int(response.body) != place
    new = cookie_of(response, b"session")
    assert new != cookie
    service.apply(to(*origins), routes=[route()])
    assert goes_to(service, new) == {int(response.body)}
    assert goes_to(service, cookie) == {place}


def test_a_strict_session_ends_with_its_endpoint(service: HttpService, origins: list[HttpOrigin]) -> None:
    """503, and no other endpoint is asked; a new session is served. The endpoint is known, but not taken."""
    service.serve(to(*origins), routes=[route(strict=True)])
    cookie, place = session(service)
    left = [origin for number, origin in enumerate(origins) if number != place]
    service.apply(to(*left), routes=[route(strict=True)])
    before = service.served(*origins)
    response = service.get(b"/", b"Cookie: session=" + cookie)
    assert response.status == 503
    assert service.served(*origins) == before
    assert service.get(b"/").status == 200


def test_weights_do_not_move_a_session(service: HttpService, origins: list[HttpOrigin]) -> None:
    """Also a cluster that gets nobody new keeps those who are there already."""
    clusters = [to(origin, name=f"c{number}") for number, origin in enumerate(origins)]

    def weighted(*weights: int) -> list[Settings]:
        shares = [{"cluster": f"c{number}", "weight": weight} for number, weight in enumerate(weights)]
        return [{"clusters": shares, "session_affinity": {"cookie": {"name": "session"}}}]

    service.serve(*clusters, routes=weighted(1, 0, 0))
    cookie, place = session(service)
    assert place == 0
    service.apply(*clusters, routes=weighted(0, 1, 1))
    assert goes_to(service, cookie) == {0}
    assert session(service)[1] in (1, 2)
    with service.client() as client:
        assert client.exchange(get(b"/")).body in (b"1", b"2")

"""CORS: what browsers are told, by the proxy and nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.http_messages import get, ok, request
from tests.support.http_oracles import Message
from tests.support.http_service import HttpService, to

SHOP = b"https://shop.example"
ALLOWED: dict[str, Any] = {
    "allow_origins": ["https://shop.example", "https://*.shop.example:8443"],
    "allow_methods": ["GET", "PUT"],
    "allow_headers": ["x-a", "x-b"],
    "expose_headers": ["x-request-id"],
    "max_age_s": 60,
}


def preflight(origin: bytes, *fields: bytes) -> bytes:
    return request(
        b"Origin: " + origin, b"Access-Control-Request-Method: PUT", *fields, line=b"OPTIONS /x HTTP/1.1"
    )


def cors_fields(message: Message) -> dict[bytes, list[bytes]]:
    names = {name.lower() for name, _ in message.fields if name.lower().startswith(b"access-control-")}
    return {name.removeprefix(b"access-control-"): message.values(name) for name in names}


def serve(service: HttpService, **cors: Any) -> Any:
    origin = service.origin()
    service.serve(to(origin), routes=[{"cluster": "app", "cors": cors}])
    return origin


def test_preflight(service: HttpService) -> None:
    origin = serve(service, **ALLOWED)
    with service.client() as client:
        answer = client.exchange(preflight(SHOP), b"OPTIONS")
        assert answer.status == 204
        assert cors_fields(answer) == {
            b"allow-origin": [SHOP],
            b"allow-methods": [b"GET, PUT"],
            b"allow-headers": [b"x-a, x-b"],
            b"max-age": [b"60"],
        }
        assert answer.values(b"vary") == [b"Origin"]
        # The connection goes on, and an OPTIONS that asks for no method is none of ours.
        assert client.exchange(
            request(b"Origin: " + SHOP, line=b"OPTIONS /x HTTP/1.1"), b"OPTIONS"
        ).status == 200
    assert [message.start[0] for message in origin.requests] == [b"OPTIONS"]
    assert service.listener()["cors.preflight"] == 1


def test_preflight_from_elsewhere(service: HttpService) -> None:
    origin = serve(service, **ALLOWED)
    with service.client() as client:
        answer = client.exchange(preflight(b"https://evil.example"), b"OPTIONS")
    assert (answer.status, cors_fields(answer)) == (204, {})
    assert answer.values(b"vary") == [b"Origin"]
    assert origin.requests == []
    assert (service.listener()["cors.origin_valid"], service.listener()["cors.origin_invalid"]) == (0, 1)


def test_preflight_from_elsewhere_goes_on(service: HttpService) -> None:
    origin = serve(service, **ALLOWED, forward_unmatched_preflights=True)
    origin.on(b"/x", ok(b"", b"Access-Control-Allow-Origin: *"))
    with service.client() as client:
        answer = client.exchange(preflight(b"https://evil.example"), b"OPTIONS")
    assert cors_fields(answer) == {b"allow-origin": [b"*"]}
    assert len(origin.requests) == 1


@pytest.mark.parametrize("credentials", [False, True])
def test_anything(service: HttpService, credentials: bool) -> None:
    anything = ["*"]
    origin = serve(
        service, allow_origins=anything, allow_methods=anything, allow_headers=anything, allow_credentials=credentials
    )
    with service.client() as client:
        answer = client.exchange(preflight(SHOP, b"Access-Control-Request-Headers: x-c,x-d"), b"OPTIONS")
        simple = client.exchange(get(b"/x", b"Origin: " + SHOP))
    expected: dict[bytes, list[bytes]] = {b"max-age": [b"5"]}
    if credentials:
        expected |= {b"allow-origin": [SHOP], b"allow-methods": [b"PUT"], b"allow-headers": [b"x-c,x-d"]}
        expected |= {b"allow-credentials": [b"true"]}
        assert cors_fields(simple) == {b"allow-origin": [SHOP], b"allow-credentials": [b"true"]}
    else:
        expected |= {b"allow-origin": [b"*"], b"allow-methods": [b"*"], b"allow-headers": [b"*"]}
        assert cors_fields(simple) == {b"allow-origin": [b"*"]}
    assert cors_fields(answer) == expected
    assert answer.values(b"vary") == simple.values(b"vary") == ([b"Origin"] if credentials else [])
    assert len(origin.requests) == 1


def test_the_upstreams_own_word_is_replaced(service: HttpService) -> None:
    origin = serve(service, **ALLOWED)
    said = (b"Access-Control-Allow-Origin: *", b"ACCESS-CONTROL-EXPOSE-HEADERS: all", b"Vary: Accept, origin")
    origin.on(b"/x", ok(b"body", *said))
    answer = service.get(b"/x", b"Origin: " + SHOP)
    assert cors_fields(answer) == {b"allow-origin": [SHOP], b"expose-headers": [b"x-request-id"]}
    assert answer.values(b"vary") == [b"Accept, origin"]
    assert answer.body == b"body"
    for fields in ([b"Origin: https://evil.example"], []):
        answer = service.get(b"/x", *fields)
        assert (answer.status, cors_fields(answer)) == (200, {})


def test_answers_of_our_own_can_be_read(service: HttpService) -> None:
    """Else a page could not tell a 503 from a network that failed."""
    route = {"clusters": [{"cluster": "app", "weight": 0}], "cors": ALLOWED}
    service.serve(to(service.origin()), routes=[route])
    answer = service.get(b"/x", b"Origin: " + SHOP)
    assert answer.status == 500
    assert cors_fields(answer) == {b"allow-origin": [SHOP], b"expose-headers": [b"x-request-id"]}


def test_of_a_virtual_host(service: HttpService) -> None:
    routes = [
        {"matches": [{"path": {"prefix": "/own"}}], "cluster": "app", "cors": {"allow_origins": ["*"]}},
        {"cluster": "app"},
    ]
    hosts = [{"name": "a", "hosts": ["*"], "routes": routes, "cors": ALLOWED}]
    service.serve(to(service.origin()), virtual_hosts=hosts)
    assert cors_fields(service.get(b"/x", b"Origin: " + SHOP))[b"allow-origin"] == [SHOP]
    assert cors_fields(service.get(b"/own", b"Origin: " + SHOP)) == {b"allow-origin": [b"*"]}

"""x-hopmesh-explain: why a request has failed, in words."""

from __future__ import annotations

from typing import Any

from tests.support.http_messages import ok, post, response
from tests.support.http_oracles import Message
from tests.support.http_origin import Gate, Move
from tests.support.http_service import HttpService, to
from tests.support.peer import refusing

NAME = b"x-hopmesh-explain"


def explanation(message: Message) -> str | None:
    """What a response says, if it does."""
    found = message.values(NAME)
    assert len(found) <= 1
    return found[0].decode() if found else None


def test_what_went_wrong(service: HttpService) -> None:
    """Each failure tells its reason and the endpoint."""
    origin = service.origin()
    gate = Gate()
    origin.on(b"/closes", Move.CLOSE)
    origin.on(b"/nonsense", b"nonsense\r\n\r\n")
    origin.on(b"/slow", gate, ok(b"late"))
    origin.on(b"/large", ok(b"too large"))
    origin.on(b"/fine", ok(b"fine"))
    origin.on(b"/fails", response(b"Content-Length: 0", line=b"HTTP/1.1 503 No"))
    with refusing() as nobody:
        app = {"cluster": "app", "timeouts": {"request_ms": 400}, "body_limits": {"response_bytes": 8}}
        routes: list[dict[str, Any]] = [
            {"name": "refused", "matches": [{"path": {"prefix": "/refused"}}], "cluster": "refused"},
            {"name": "empty", "matches": [{"path": {"prefix": "/empty"}}], "cluster": "empty"},
            {"name": "direct", "matches": [{"path": {"prefix": "/direct"}}], "direct_response": {"status": 500}},
            *({"name": name, "matches": [{"path": {"prefix": f"/{name}"}}], **app}
              for name in ("closes", "nonsense", "slow", "large", "fails", "fine")),
        ]
        once = {"max_connect_attempts": 1}
        service.serve(
            to(origin, retry=once), to(nobody, name="refused", retry=once), to(name="empty"), routes=routes,
            http={"explain": True})
        there = f"tried {origin.address}"
        for target, status, said in (
            (b"/nowhere", 404, "route_not_found"),
            (b"/empty", 503, "no_endpoint"),
            (b"/refused", 503, f"connect_failed; tried {nobody} (connect refused)"),
            (b"/closes", 503, f"upstream_closed_before_response; {there} (closed without an answer)"),
            (b"/nonsense", 502, f"bad_start_line; {there} (answer refused)"),
            (b"/slow", 504, f"response_timeout; {there} (no answer in time)"),
            (b"/large", 502, f"response_body_too_large; {there} (answer too large)"),
            (b"/fails", 503, None),
            (b"/fine", 200, None),
            (b"/direct", 500, None),
        ):
            answer = service.get(target)
            assert (answer.status, explanation(answer)) == (status, said), target
        gate.open()


def test_what_was_malformed(service: HttpService) -> None:
    """A request that is none tells what is wrong with it."""
    service.serve(to(), http={"explain": True})
    with service.client() as client:
        assert explanation(client.exchange(b"GET / HTTP/1.1\r\n\r\n")) == "no_host"


def test_not_unless_asked_for(service: HttpService) -> None:
    """By default nobody learns anything of the inside."""
    service.serve(to())
    with service.client() as client:
        assert explanation(client.exchange(post(b"x"), b"POST")) is None

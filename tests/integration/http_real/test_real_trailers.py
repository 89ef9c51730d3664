"""Trailers in both directions, by Node on both sides."""

from collections.abc import Callable

from tests.support.real_http.clients import Request, exchange
from tests.support.real_http.content import pattern, sha256


def test_trailers_of_a_response(through: Callable) -> None:
    (answer,) = exchange("node", Request("GET", through("node").url + "/trailers", {"TE": "trailers"}))
    assert (answer.body, answer.trailers) == (pattern(1000), {"x-digest": "of the body"})


def test_trailers_of_a_request(through: Callable) -> None:
    body = pattern(100_000)
    sent = {"x-digest": "of the body", "x-more": "too"}
    told = exchange("node", Request("POST", through("node").url + "/describe", {}, body, chunked=True, trailers=sent))[
        0
    ].json()
    assert (told["sha256"], told["trailers"]) == (sha256(body), sent)


def test_a_server_that_knows_no_trailers_is_not_troubled(through: Callable) -> None:
    url = through("uvicorn").url + "/describe"
    told = exchange("node", Request("POST", url, {}, b"body", chunked=True, trailers={"x-digest": "of the body"}))[
        0
    ].json()
    assert told["size"] == 4

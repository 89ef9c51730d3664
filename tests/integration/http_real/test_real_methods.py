"""Every client, every server, every common method."""

from collections.abc import Callable

import pytest

from tests.support.real_http.clients import CLIENTS, Request, exchange
from tests.support.real_http.content import sha256
from tests.support.real_http.servers import SERVERS

BODY = b"some\r\n\r\nbody\0"
BODIES = {"GET": None, "POST": BODY, "PUT": BODY, "DELETE": None, "PATCH": b""}
TARGET = "/describe?a=%20b&c"


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("client", CLIENTS)
def test_methods_and_bodies(client: str, server: str, through: Callable) -> None:
    url = through(server).url
    requests = [Request(method, url + TARGET, {"X-Mine": "as it is"}, body) for method, body in BODIES.items()]
    *described, head = exchange(client, *requests, Request("HEAD", url + "/pattern?size=1000"))
    for (method, body), answer in zip(BODIES.items(), described, strict=True):
        told = answer.json()
        assert (told["method"], told["target"]) == (method, TARGET)
        assert told["headers"]["x-mine"] == "as it is"
        assert (told["size"], told["sha256"]) == (len(body or b""), sha256(body or b""))
    assert (head.status, head.all("content-length"), head.body) == (200, ["1000"], b"")

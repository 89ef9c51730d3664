"""204, 304 and HEAD on one connection: none of them has a body, and the next response is not taken for one."""

from collections.abc import Callable

import pytest

from tests.support.real_http.clients import Answer, Request, ask, connection
from tests.support.real_http.content import ETAG, pattern
from tests.support.real_http.servers import SERVERS


@pytest.mark.parametrize("server", SERVERS)
def test_responses_without_body_leave_the_connection_in_step(server: str, through: Callable) -> None:
    mesh = through(server)
    with connection(mesh.url) as over:

        def get(target: str, method: str = "GET", **headers: str) -> Answer:
            return ask(over, Request(method, mesh.url + target, headers))

        for _ in range(3):
            empty = get("/status?code=204")
            assert (empty.status, empty.body, empty.all("content-length")) == (204, b"", [])
            assert get("/pattern?size=100").body == pattern(100)
            unchanged = get("/status?code=304", **{"If-None-Match": ETAG})
            assert (unchanged.status, unchanged.body, unchanged.all("etag")) == (304, b"", [ETAG])
            assert get("/pattern?size=200&chunked=1").body == pattern(200)
            head = get("/pattern?size=300", "HEAD")
            assert (head.status, head.body, head.all("content-length")) == (200, b"", ["300"])
            assert get("/describe").json()["method"] == "GET"
    assert mesh.proxy.stats("listener", "in")["downstream_cx_total"] == 1

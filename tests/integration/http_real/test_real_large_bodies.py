"""Ten megabytes in both directions, with their length and without."""

from collections.abc import Callable

import pytest

from tests.support.real_http.clients import CLIENTS, Request, exchange
from tests.support.real_http.content import pattern, sha256
from tests.support.real_http.servers import SERVERS

SIZE = 10_000_000
CONTENT = pattern(SIZE)
SUM = sha256(CONTENT)

# Each server once, each client once.
PAIRS = [("http.client", server) for server in SERVERS] + [
    (client, "node") for client in CLIENTS if client != "http.client"
]


@pytest.mark.parametrize(("client", "server"), PAIRS)
def test_ten_megabytes_each_way(client: str, server: str, through: Callable) -> None:
    url = through(server).url
    uploads = [Request("POST", url + "/describe", {}, CONTENT, chunked) for chunked in (False, True)]
    downloads = [Request("GET", f"{url}/pattern?size={SIZE}{chunked}") for chunked in ("", "&chunked=1")]
    *uploaded, whole, chunked = exchange(client, *uploads, *downloads)
    for answer, framing in zip(uploaded, ("content-length", "transfer-encoding"), strict=True):
        told = answer.json()
        assert (told["size"], told["sha256"]) == (SIZE, SUM)
        assert [name for name in ("content-length", "transfer-encoding") if name in told["headers"]] == [framing]
    for answer, length in ((whole, [str(SIZE)]), (chunked, [])):
        assert (answer.status, len(answer.body), sha256(answer.body)) == (200, SIZE, SUM)
        assert answer.all("content-length") == length
        assert bool(answer.all("transfer-encoding")) == (not length)

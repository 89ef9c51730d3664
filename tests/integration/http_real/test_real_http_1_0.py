"""Clients of HTTP/1.0: curl, and what such a client may send by hand."""

from collections.abc import Callable

import pytest

from tests.support.process_programs import program, run_program
from tests.support.real_http.clients import Request, curl, exchange
from tests.support.real_http.content import pattern, sha256
from tests.support.real_http.servers import SERVERS

SIZE = 100_000


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("query", ["", "&chunked=1"], ids=["length", "chunked"])
def test_a_body_without_chunks(server: str, query: str, through: Callable) -> None:
    url = f"{through(server).url}/pattern?size={SIZE}{query}"
    head, _, body = curl("--http1.0", "-i", url).partition(b"\r\n\r\n")
    # Such a client knows no chunks: it gets the bytes, and their end by the length or the connection's end.
    assert b"transfer-encoding" not in head.lower()
    assert sha256(body) == sha256(pattern(SIZE))


def test_servers_get_http_1_1(through: Callable) -> None:
    url = through("node").url
    assert b'"size":9' in curl("--http1.0", "--data-binary", "@-", url + "/describe", body=b"some body")
    assert exchange("http.client", Request("GET", url + "/describe"))[0].status == 200


def test_the_connection_is_kept_where_the_client_asks(through: Callable) -> None:
    proxy = through("node").proxy
    with proxy.connect() as client:
        for _ in range(3):
            client.send(b"GET /pattern?size=64 HTTP/1.0\r\nHost: here\r\nConnection: keep-alive\r\n\r\n")
            received = b""
            while not received.endswith(pattern(64)):
                received += client.receive(1)
            assert b"connection: keep-alive\r\n" in received.lower()
        client.send(b"GET /pattern?size=64 HTTP/1.0\r\nHost: here\r\n\r\n")
        assert client.receive_all().endswith(b"\r\n\r\n" + pattern(64))
    assert proxy.stats("listener", "in")["downstream_cx_total"] == 1


def test_apache_bench(through: Callable) -> None:
    mesh = through("node")
    written = run_program([program("ab"), "-q", "-k", "-n", "200", "-c", "8", mesh.url + "/pattern?size=1000"]).decode()
    lines = [line.split() for line in written.splitlines()]
    assert ["Complete", "requests:", "200"] in lines
    assert ["Failed", "requests:", "0"] in lines
    assert "Non-2xx" not in written

"""The admin endpoint among people who mean no good: it answers, it is bounded, and traffic does not notice."""

import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.process import ProxyProcess, one_listener, running, short_folder, until
from tests.support.process_traffic import (
    admin,
    admin_raw,
    ask,
    connect,
    echo_origin,
    parse_replies,
    receive_all,
    receive_exactly,
)

CONNECTIONS_LIMIT = 64


@pytest.fixture(scope="module")
def whole_time() -> Iterator[ProxyProcess]:
    """A proxy that all of this is done to, one after the other; it must end in peace, having complained of nothing."""
    with short_folder() as folder, echo_origin() as echo, running(folder, one_listener(echo)) as proxy:
        yield proxy
        assert proxy.stop() == 0
        assert all(line.startswith(b"{") for line in proxy.lines), proxy.log


@pytest.fixture
def proxy(whole_time: ProxyProcess) -> Iterator[ProxyProcess]:
    """It, which must answer and relay at the end as at the start."""
    with connect(whole_time.address()) as client:
        ask(client, b"before")
        yield whole_time
        ask(client, b"after")
    assert until(lambda: answers(whole_time), "it answers")
    assert not whole_time.events("request failed")


def answers(proxy: ProxyProcess) -> bool:
    try:
        return admin(proxy.admin, "/live").status == 200
    except OSError:
        # Over its limit of connections, until it has seen that those before have ended.
        return False


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 600,
        b"garbage\r\n\r\n",
        b"\x00" * 5000,
        b"GET /live HTTP/1.1\r\n\r\n",
        b"GET /live HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /live HTTP/3.0\r\nHost: a\r\n\r\n",
        b"GET /l\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /live HTTP/1.1\r\nHost: a\r\nName with spaces: b\r\n\r\n",
        b"GET /live HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /logging HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST /logging HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
def test_what_is_no_request_is_told_so(proxy: ProxyProcess, request_bytes: bytes) -> None:
    reply, *_ = admin_raw(proxy.admin, request_bytes)
    assert reply.status in (400, 505) and reply.body


def test_a_request_that_is_cut_gets_no_page(proxy: ProxyProcess) -> None:
    whole = b"POST /drain_listeners HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab"
    for size in range(1, len(whole), 7):
        replies = admin_raw(proxy.admin, whole[:size])
        assert [each.status for each in replies] in ([], [400]), size
    assert admin(proxy.admin, "/ready").status == 200


@pytest.mark.parametrize("target", ["http://[", "//[", "//[::1", "http://a.b/live", "/live%00", "?", "/?" + "&=" * 500])
def test_an_odd_target_is_answered(proxy: ProxyProcess, target: str) -> None:
    (reply,) = admin_raw(proxy.admin, f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    assert reply.status in (200, 404)


def test_headers_over_the_limit_are_refused(proxy: ProxyProcess) -> None:
    with connect(proxy.admin) as client:
        client.sendall(b"GET /live HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 20_000)
        (reply,) = parse_replies(_until_end(client))
    assert reply.status == 431


def test_headers_without_end_are_cut_off(proxy: ProxyProcess) -> None:
    with connect(proxy.admin) as client, pytest.raises(OSError):
        client.sendall(b"GET /live HTTP/1.1\r\n")
        while True:
            client.sendall(b"X: " + b"x" * 1000 + b"\r\n")


def test_a_request_byte_by_byte(proxy: ProxyProcess) -> None:
    with connect(proxy.admin) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"GET /live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n":
            client.sendall(bytes([byte]))
        (reply,) = parse_replies(receive_all(client))
    assert reply.body == b"LIVE\n"


def test_pipelined_requests_are_answered_in_order(proxy: ProxyProcess) -> None:
    targets = ["/live", "/nothing", "/ready", "/stats", "/live"] * 20
    replies = admin_raw(proxy.admin, b"".join(b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % t.encode() for t in targets))
    assert [each.status for each in replies] == [200, 404, 200, 200, 200] * 20
    assert replies[-1].body == b"LIVE\n"


def test_http_1_0_has_one_answer(proxy: ProxyProcess) -> None:
    (reply,) = admin_raw(proxy.admin, b"GET /live HTTP/1.0\r\n\r\nGET /live HTTP/1.0\r\n\r\n")
    assert reply.body == b"LIVE\n"


def test_an_upgrade_is_not_taken(proxy: ProxyProcess) -> None:
    request = b"GET /live HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
    assert admin_raw(proxy.admin, request)[0].body == b"LIVE\n"
    assert admin_raw(proxy.admin, b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n")[0].status == 404


def test_a_body_is_dropped(proxy: ProxyProcess) -> None:
    assert admin(proxy.admin, "/logging?level=info", "POST", b"x" * 1_000_000).status == 200
    chunked = b"POST /logging HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    assert [each.status for each in admin_raw(proxy.admin, chunked * 2)] == [200, 200]


def test_who_waits_to_be_told_to_go_on_is_told(proxy: ProxyProcess) -> None:
    with connect(proxy.admin) as client:
        client.sendall(b"POST /logging HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert receive_exactly(client, 12) == b"HTTP/1.1 100"
        while client.recv(1) != b"\n":
            pass
        client.sendall(b"ab")
        client.shutdown(socket.SHUT_WR)
        assert b"HTTP/1.1 200" in receive_all(client)


@pytest.mark.parametrize(
    "query", ["filter=%28a%2B%29%2B%24", "filter=%28.%2B%29%2B%21", "filter=(%5Cw*)*x", "filter=%ff"]
)
def test_a_catastrophic_filter_does_not_hold_it_up(proxy: ProxyProcess, query: str) -> None:
    assert admin(proxy.admin, f"/stats?{query}").status in (200, 400)


def test_connections_over_the_limit_are_closed_and_the_others_served(proxy: ProxyProcess) -> None:
    idle = []
    try:
        for _ in range(CONNECTIONS_LIMIT):
            client = connect(proxy.admin)
            idle.append(client)
            # Answered, so it counts by now.
            client.sendall(b"GET /live HTTP/1.1\r\nHost: a\r\n\r\n")
            assert client.recv(12) == b"HTTP/1.1 200"
        for _ in range(10):
            with connect(proxy.admin) as late:
                try:
                    late.sendall(b"GET /live HTTP/1.1\r\nHost: a\r\n\r\n")
                    assert late.recv(1) == b""
                except (ConnectionResetError, BrokenPipeError):
                    pass
    finally:
        for client in idle:
            client.close()
    assert until(lambda: answers(proxy), "there is room again")


def test_half_requests_that_are_reset_leave_nothing(folder: Path, echo: str) -> None:
    with running(folder, one_listener(echo)) as proxy:
        assert answers(proxy)
        before = proxy.open_descriptors()
        for _ in range(3 * CONNECTIONS_LIMIT):
            with connect(proxy.admin) as client:
                client.sendall(b"GET /live HT")
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        until(lambda: proxy.open_descriptors() <= before, "every descriptor is given back")


def test_connections_kept_alive_do_not_hold_up_the_end(folder: Path, echo: str) -> None:
    with running(folder, one_listener(echo)) as proxy, connect(proxy.admin) as idle, connect(proxy.admin) as half:
        idle.sendall(b"GET /live HTTP/1.1\r\nHost: a\r\n\r\n")
        assert idle.recv(12) == b"HTTP/1.1 200"
        half.sendall(b"GET /live HT")
        assert proxy.stop() == 0


def test_who_does_not_read_the_answers_does_not_hold_up_the_end(folder: Path, echo: str) -> None:
    """The answers fill every buffer on the way, and the process is told to stop."""
    with running(folder, one_listener(echo)) as proxy, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        host, _, port = proxy.admin.rpartition(":")
        client.connect((host, int(port)))
        client.settimeout(1)
        with pytest.raises(TimeoutError):
            while True:
                client.sendall(b"GET /stats/prometheus HTTP/1.1\r\nHost: a\r\n\r\n" * 100)
        assert answers(proxy)
        assert proxy.stop() == 0


def _until_end(client: socket.socket) -> bytes:
    """What came before the end, be it a reset: what we had sent was not all read."""
    data = bytearray()
    try:
        while part := client.recv(65536):
            data += part
    except ConnectionResetError:
        pass
    return bytes(data)

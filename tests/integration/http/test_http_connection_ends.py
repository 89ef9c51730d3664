"""When a keep-alive connection ends: a listener that goes, time-outs between requests, ends behind a request."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.configs import cluster, config, listener
from tests.support.peer import Origin, Peer
from tests.support.running_proxy import RunningProxy

Start = Callable[[dict[str, Any]], RunningProxy]

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def settings(origin: Origin, folder: Path, name: str = "in", **more: Any) -> dict[str, Any]:
    """A listener that speaks HTTP with one origin."""
    return config([listener(name, protocol="http", **more)], [cluster([origin.address])], folder, access_log=None)


def receive_answer(client: Peer) -> bytes:
    """One whole answer."""
    data = b""
    while not data.endswith(b"\r\n\r\nok"):
        data += client.receive(1)
    return data


def receive_request(server: Peer) -> bytes:
    """One whole request without a body."""
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        data += server.receive(1)
    return data


def test_a_request_under_way_is_the_last_when_its_listener_goes(start: Start, origin: Origin, tmp_path: Path) -> None:
    """The answer says so, and the connection ends behind it without a further word from the client."""
    proxy = start(settings(origin, tmp_path))
    with proxy.connect() as client:
        client.send(GET)
        with origin.accept() as server:
            receive_request(server)
            proxy.apply(settings(origin, tmp_path, "other"))
            server.send(OK)
            assert b"\r\nConnection: close\r\n" in receive_answer(client)
            client.expect_end()


def test_a_listener_goes_behind_the_head_of_an_answer(start: Start, origin: Origin, tmp_path: Path) -> None:
    """Then the answer could not say it."""
    proxy = start(settings(origin, tmp_path))
    with proxy.connect() as client:
        client.send(GET)
        with origin.accept() as server:
            receive_request(server)
            server.send(OK[:-2])
            client.receive(17)
            proxy.apply(settings(origin, tmp_path, "other"))
            server.send(OK[-2:])
            assert receive_answer(client)
            client.expect_end()


def test_a_head_under_way_keeps_its_limits(start: Start, origin: Origin, tmp_path: Path) -> None:
    """There is room for as many fields as were allowed when it began; the next head goes by the new limits."""
    many = b"".join(b"A%d: b\r\n" % index for index in range(500))
    proxy = start(settings(origin, tmp_path, http={"max_header_count": 10}))
    with proxy.connect() as first, proxy.connect() as second:
        first.send(b"GET / HTTP/1.1\r\nHost: a\r\n")
        proxy.wait_for_stat(25, "downstream_cx_rx_bytes_total", "listener", "in")
        proxy.apply(settings(origin, tmp_path, http={"max_header_count": 1000}))
        first.send(many + b"\r\n")
        assert first.receive_all().startswith(b"HTTP/1.1 431 ")
        second.send(b"GET / HTTP/1.1\r\nHost: a\r\n" + many + b"\r\n")
        with origin.accept() as server:
            assert receive_request(server).count(b": b\r\n") == 500
            server.send(OK)
            receive_answer(second)


def test_idle_time_begins_with_the_end_of_a_request(start: Start, origin: Origin, tmp_path: Path) -> None:
    """Though the timer was set to the request's own time-out, or to none, while that took longer."""
    proxy = start(settings(origin, tmp_path, http={"idle_timeout_ms": 100, "stream_idle_timeout_ms": 0}))
    with proxy.connect() as client:
        client.send(GET)
        with origin.accept() as server:
            receive_request(server)
            # Longer than the idle time: its timer comes and finds the request.
            server.socket.settimeout(0.3)
            with pytest.raises(TimeoutError):
                server.socket.recv(1)
            server.send(OK)
            receive_answer(client)
            client.expect_end()


def test_a_head_is_late_though_the_connection_is_old(start: Start, origin: Origin, tmp_path: Path) -> None:
    """The most that a connection may last ends no head, and takes nothing from the time for one."""
    proxy = start(
        settings(origin, tmp_path, max_connection_duration_ms=50, http={"request_headers_timeout_ms": 300})
    )
    with proxy.connect() as client:
        client.send(b"GET / HT")
        assert client.receive_all().startswith(b"HTTP/1.1 408 ")


def test_nothing_behind_an_upgrade_but_the_end(start: Start, origin: Origin, tmp_path: Path) -> None:
    """An end is no byte of another protocol: there is one answer."""
    proxy = start(settings(origin, tmp_path))
    with proxy.connect() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
        client.socket.shutdown(socket.SHUT_WR)
        with origin.accept() as server:
            receive_request(server)
            server.send(OK)
            assert client.receive_all().count(b"HTTP/1.1 ") == 1

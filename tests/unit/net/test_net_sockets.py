"""Connecting, and closing so that the peer sees a reset."""

from __future__ import annotations

import errno
import os
import select
import socket
import struct
from pathlib import Path

import pytest

from mesh_core._testing.net import address_from_ip, address_from_path, socket_close_reset, socket_connect


def test_connect_over_ip() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        fd, _ = socket_connect(address_from_ip("127.0.0.1", server.getsockname()[1]))
        with socket.socket(fileno=fd) as connected:
            assert not os.get_blocking(fd)
            assert not os.get_inheritable(fd)
            assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert connected.getsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE)
            select.select([], [connected], [])
            assert connected.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
            server.accept()[0].close()


def test_a_refused_connect() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        fd, connected = socket_connect(address_from_ip("127.0.0.1", unused.getsockname()[1]))
    if fd >= 0:
        assert not connected
        with socket.socket(fileno=fd) as refused:
            select.select([], [refused], [])
            assert refused.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNREFUSED
    else:
        assert fd == -errno.ECONNREFUSED


def test_connect_to_a_unix_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
        server.listen(1)
        fd, connected = socket_connect(address_from_path(b"s"))
        assert connected
        socket.socket(fileno=fd).close()
    assert socket_connect(address_from_path(b"s"))[0] == -errno.ECONNREFUSED
    assert socket_connect(address_from_path(b"nowhere"))[0] == -errno.ENOENT


def test_close_reset_is_a_reset() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        peer = socket.create_connection(server.getsockname())
        accepted, _ = server.accept()
        accepted.send(b"never read")
        socket_close_reset(accepted.detach())
        with peer, pytest.raises(ConnectionResetError):
            while peer.recv(100):
                pass


def test_no_descriptor_leaks_when_a_connect_fails() -> None:
    unroutable = struct.pack("=HH", socket.AF_INET, 0) + bytes(12)
    before = set(Path("/proc/self/fd").iterdir())
    for _ in range(3):
        fd, _ = socket_connect(unroutable)
        if fd >= 0:
            socket.socket(fileno=fd).close()
    assert len(set(Path("/proc/self/fd").iterdir())) == len(before)


def test_a_descriptor_that_traffic_may_not_have() -> None:
    """The attempt ends before it reaches anybody."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = address_from_ip("127.0.0.1", server.getsockname()[1])
        assert socket_connect(address, 3)[0] == -errno.EMFILE
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()

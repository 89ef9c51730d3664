"""The connection of an active health check: in the clear or with TLS, on the control thread's loop."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Protocol

from mesh_core.config import Address, Cluster
from mesh_core.control.upstream_health.health_check_tls import TlsStream

# What an endpoint expects that is told of its true sources: this connection is the proxy's own.
_PREFACES = {
    None: b"",
    "v1": b"PROXY UNKNOWN\r\n",
    "v2": b"\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00",
}


class Stream(Protocol):
    """What a check needs of a connection. Methods raise OSError, ssl.SSLError."""

    async def send(self, data: bytes) -> None:
        """Send all of it."""

    async def receive(self, size: int) -> bytes:
        """What has come, at most `size` bytes; b"" at the end."""

    def close(self) -> None:
        """Close the connection; again is allowed."""


class PlainStream:
    """In the clear."""

    def __init__(self, connection: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        self._connection = connection

    async def send(self, data: bytes) -> None:
        """Send all of it."""
        await self._loop.sock_sendall(self._connection, data)

    async def receive(self, size: int) -> bytes:
        """What has come, at most `size` bytes; b"" at the end."""
        return await self._loop.sock_recv(self._connection, size)

    def close(self) -> None:
        """Close the connection; again is allowed."""
        self._connection.close()


async def open_stream(address: Address, cluster: Cluster, tls: tuple[ssl.SSLContext, str | None] | None) -> Stream:
    """Connect to an endpoint of `cluster`, with TLS by `tls` if that is given: a context, and the name to ask for.

    Raises OSError, ssl.SSLError; then nothing is left open.
    """
    connection = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, address.sockaddr())
        preface = _PREFACES[cluster.send_proxy_protocol]
        if preface:
            await asyncio.get_running_loop().sock_sendall(connection, preface)
        if tls is None:
            return PlainStream(connection)
        stream = TlsStream(connection, *tls)
        await stream.shake()
    except BaseException:
        connection.close()
        raise
    return stream

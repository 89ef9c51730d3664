"""One active health check of one endpoint: the I/O of it, on the control thread's loop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
from collections.abc import Sequence

from mesh_core.config import Address, Cluster, HealthCheck, Payload
from mesh_core.control.upstream_health.health_check_tls import TlsStream, client_context

# The most that is read of an answer.
ANSWER_BYTES = 65536
# What the host of the proxy lacks says nothing of the endpoint.
_OWN_ERRORS = frozenset(
    (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.EADDRNOTAVAIL)
)


class ProbeError(Exception):
    """The endpoint has failed the check; the text says how. `network`: it did not even answer."""

    def __init__(self, reason: str, *, network: bool) -> None:
        super().__init__(reason)
        self.network = network


class ProbeImpossible(Exception):
    """The check could not be made, for want of descriptors, memory or ports. It says nothing of the endpoint."""


def payload_bytes(payload: Payload) -> bytes:
    """The bytes that a payload stands for."""
    return bytes.fromhex(payload.hex) if payload.hex is not None else (payload.text or "").encode()


def answers(data: bytes | bytearray, wanted: Sequence[bytes]) -> bool:
    """Whether each of `wanted` is in `data`, one after the other, with anything between them."""
    place = 0
    for each in wanted:
        found = data.find(each, place)
        if found < 0:
            return False
        place = found + len(each)
    return True


async def probe(address: Address, cluster: Cluster, rules: HealthCheck) -> None:
    """Check an endpoint of `cluster` once, within `timeout_ms`. Raises ProbeError, ProbeImpossible."""
    try:
        tls = client_context(cluster) if rules.type == "tls" else None
    except OSError as error:
        raise ProbeImpossible(f"the cluster's certificates cannot be read: {error.strerror}") from error
    try:
        async with asyncio.timeout(rules.timeout_ms / 1000):
            await _probe(address, rules, tls)
    except ssl.SSLError as error:
        raise ProbeError(f"TLS: {error.reason or error}", network=False) from error
    except TimeoutError:
        raise ProbeError("timeout", network=True) from None
    except OSError as error:
        if error.errno in _OWN_ERRORS:
            raise ProbeImpossible(error.strerror) from error
        raise ProbeError(error.strerror or "failed", network=True) from error


class _PlainStream:
    """A connection in the clear, with the methods of TlsStream."""

    def __init__(self, connection: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        self._connection = connection

    async def send(self, data: bytes) -> None:
        await self._loop.sock_sendall(self._connection, data)

    async def receive(self, size: int) -> bytes:
        return await self._loop.sock_recv(self._connection, size)


async def _probe(address: Address, rules: HealthCheck, tls: tuple[ssl.SSLContext, str | None] | None) -> None:
    stream: _PlainStream | TlsStream
    loop = asyncio.get_running_loop()
    with contextlib.closing(socket.socket(address.family, socket.SOCK_STREAM)) as connection:
        connection.setblocking(False)
        await loop.sock_connect(connection, address.sockaddr())
        if tls is None:
            stream = _PlainStream(connection)
        else:
            stream = TlsStream(connection, *tls)
            await stream.shake()
        if rules.send is not None:
            await stream.send(payload_bytes(rules.send))
        wanted = [payload_bytes(each) for each in rules.receive]
        data = bytearray()
        while not answers(data, wanted):
            piece = await stream.receive(ANSWER_BYTES - len(data))
            if not piece:
                raise ProbeError("the answer is not the expected one", network=False)
            data += piece

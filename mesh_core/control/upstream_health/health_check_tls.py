"""TLS of an active health check: a client's handshake over memory, on a socket of the control thread's loop."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence

from mesh_core.config import Cluster, ClusterTls
from mesh_core.config.check_tls import SYSTEM_CA
from mesh_core.config.host_name import shared_host_name

_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
_PIECE_BYTES = 65536


class TlsStream:
    """A Stream in TLS. Raises ssl.SSLError, and ConnectionError when the peer goes."""

    def __init__(self, connection: socket.socket, context: ssl.SSLContext, server_name: str | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._connection = connection
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=server_name)

    async def shake(self) -> None:
        """Make the handshake."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._more()
            else:
                await self._flush()
                return

    async def send(self, data: bytes) -> None:
        """Send all of it."""
        self._tls.write(data)
        await self._flush()

    async def receive(self, size: int) -> bytes:
        """What has come, at most `size` bytes; b"" at the end."""
        while True:
            try:
                return self._tls.read(size)
            except ssl.SSLWantReadError:
                await self._more()
            except ssl.SSLZeroReturnError:
                return b""

    def close(self) -> None:
        """Close the connection; again is allowed."""
        self._connection.close()

    async def _more(self) -> None:
        await self._flush()
        data = await self._loop.sock_recv(self._connection, _PIECE_BYTES)
        if not data:
            raise ConnectionError("ended without close_notify")
        self._in.write(data)

    async def _flush(self) -> None:
        if self._out.pending:
            await self._loop.sock_sendall(self._connection, self._out.read())


def client_context(cluster: Cluster, alpn: Sequence[str] | None = None) -> tuple[ssl.SSLContext, str | None]:
    """A context by the cluster's `tls`, its files read now, and the server name to ask for. Raises OSError.

    `alpn`: protocols to offer in place of the cluster's.

    The chain is verified, and the name if it is `server_name` or the endpoints' host name that counts; names under
    `peer` are judged when traffic connects.
    """
    tls = cluster.tls
    assert isinstance(tls, ClusterTls)
    server_name = tls.server_name or shared_host_name(cluster)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = tls.peer is None and server_name is not None and not tls.insecure_skip_verify
    context.verify_mode = ssl.CERT_NONE if tls.insecure_skip_verify else ssl.CERT_REQUIRED
    context.minimum_version, context.maximum_version = _VERSIONS[tls.min_version], _VERSIONS[tls.max_version]
    if tls.trusted_ca == SYSTEM_CA:
        context.load_default_certs()
    elif tls.trusted_ca is not None:
        context.load_verify_locations(tls.trusted_ca)
    if tls.certificate is not None:
        context.load_cert_chain(tls.certificate, tls.key)
    protocols = tls.alpn if alpn is None else alpn
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context, server_name

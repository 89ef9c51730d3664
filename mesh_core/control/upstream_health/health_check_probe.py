"""The active health checks of one endpoint, one at a time: the I/O of them, on the control thread's loop."""

from __future__ import annotations

import asyncio
import errno
import ssl

from mesh_core.config import Address, Cluster, HealthCheck
from mesh_core.control.upstream_health.health_check_answer import (
    ANSWER_BYTES,
    ProbeError,
    ProbeImpossible,
    answers,
    payload_bytes,
)
from mesh_core.control.upstream_health.health_check_http import HttpExchange
from mesh_core.control.upstream_health.health_check_stream import open_stream
from mesh_core.control.upstream_health.health_check_tls import client_context

# What the host of the proxy lacks says nothing of the endpoint.
_OWN_ERRORS = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.EADDRNOTAVAIL))


class Prober:
    """Checks one endpoint. `close` must be called, when no check is under way."""

    def __init__(self) -> None:
        self._kept: HttpExchange | None = None

    def close(self) -> None:
        """Close the connection that is kept for the next check, if there is one; again is allowed."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    async def probe(self, address: Address, cluster: Cluster, rules: HealthCheck) -> None:
        """Check the endpoint of `cluster` once, within `timeout_ms`. Raises ProbeError, ProbeImpossible."""
        try:
            async with asyncio.timeout(rules.timeout_ms / 1000):
                if rules.type == "http":
                    await self._probe_http(address, cluster, rules)
                else:
                    self.close()
                    await _probe_bytes(address, cluster, rules)
        except ssl.SSLError as error:
            raise ProbeError(f"TLS: {error.reason or error}", network=False) from error
        except TimeoutError:
            raise ProbeError("timeout", network=True) from None
        except OSError as error:
            if error.errno in _OWN_ERRORS:
                raise ProbeImpossible(error.strerror) from error
            raise ProbeError(error.strerror or "failed", network=True) from error

    async def _probe_http(self, address: Address, cluster: Cluster, rules: HealthCheck) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            try:
                await self._exchange(kept, address, cluster, rules)
            except (OSError, ProbeError) as error:
                # An endpoint may end an idle connection at any time: that alone says nothing.
                if isinstance(error, TimeoutError) or (isinstance(error, ProbeError) and not error.network):
                    raise
            else:
                return
        stream = await open_stream(address, cluster, _tls(cluster, rules))
        await self._exchange(HttpExchange(stream), address, cluster, rules)

    async def _exchange(self, exchange: HttpExchange, address: Address, cluster: Cluster, rules: HealthCheck) -> None:
        """One check over this connection, which is kept for the next one or closed."""
        keep = False
        try:
            keep = await exchange.check(address, cluster, rules)
        finally:
            if keep:
                self._kept = exchange
            else:
                exchange.close()


def _tls(cluster: Cluster, rules: HealthCheck) -> tuple[ssl.SSLContext, str | None] | None:
    """How to speak TLS; None for in the clear. Raises ProbeImpossible."""
    if rules.type == "tcp" or cluster.tls is None:
        return None
    try:
        return client_context(cluster, ("http/1.1",) if rules.type == "http" else None)
    except OSError as error:
        raise ProbeImpossible(f"the cluster's certificates cannot be read: {error.strerror}") from error


async def _probe_bytes(address: Address, cluster: Cluster, rules: HealthCheck) -> None:
    stream = await open_stream(address, cluster, _tls(cluster, rules))
    try:
        if rules.send is not None:
            await stream.send(payload_bytes(rules.send))
        wanted = [payload_bytes(each) for each in rules.receive]
        data = bytearray()
        while not answers(data, wanted):
            piece = await stream.receive(ANSWER_BYTES - len(data))
            if not piece:
                raise ProbeError("the answer is not the expected one", network=False)
            data += piece
    finally:
        stream.close()

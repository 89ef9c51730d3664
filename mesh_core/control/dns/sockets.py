"""Sockets for dnspython's queries, which stay whole when a query is cancelled."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import dns.asyncbackend

_ASYNCIO: Any = type(dns.asyncbackend.get_backend("asyncio"))


class Backend(_ASYNCIO):  # type: ignore[misc]  # the library gives it no public name
    """dnspython's asyncio backend, for uvloop: that leaves a UDP socket open when its making is cancelled."""

    async def make_socket(self, af: int, socktype: int, *more: Any, **named: Any) -> Any:
        """As the base class: a socket that the caller closes."""
        if socktype != socket.SOCK_DGRAM:
            return await super().make_socket(af, socktype, *more, **named)
        making = asyncio.ensure_future(super().make_socket(af, socktype, *more, **named))
        try:
            return await asyncio.shield(making)
        except asyncio.CancelledError:
            # It takes a turn of the loop, for no address has to be looked up.
            await (await making).close()
            raise

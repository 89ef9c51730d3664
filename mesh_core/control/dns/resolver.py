"""One look-up of one name in one family: the hosts file, else DNS by way of dnspython. Nothing is cached here.

dnspython brings the wire format, search domains, TCP after a truncated answer, chains of CNAMEs and the checks that an
answer belongs to its question; docs/decisions says why it is this library.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import dns.asyncresolver
import dns.exception
import dns.nameserver
import dns.resolver

from mesh_core.config import Address
from mesh_core.control.dns.hosts_file import HostsFile
from mesh_core.control.dns.sockets import Backend

TRIES = 4
"""A silent server is given this share of the whole time before the next one, or it again, is asked."""

_RECORD_TYPES: Final[dict[int, str]] = {socket.AF_INET: "A", socket.AF_INET6: "AAAA"}


class Answer(NamedTuple):
    """The addresses of a name in one family, which may be none: that is an answer too (NXDOMAIN, no records).

    `ttl_s`: seconds that it holds, the shortest of its chain of names; None when it does not say.
    """

    addresses: tuple[str, ...]
    ttl_s: int | None = None


class LookUpFailed(Exception):
    """No answer. The text says why: that of a server that refuses, or that time is over."""


class Resolver(Protocol):
    """Whoever looks names up."""

    async def look_up(self, name: str, family: int) -> Answer:
        """The addresses of `name` in AF_INET or AF_INET6. Raises LookUpFailed."""
        ...


class DnsResolver:
    """Asks the DNS servers of one cluster."""

    def __init__(
        self,
        servers: Sequence[Address],
        timeout_ms: int,
        places: asyncio.Semaphore,
        *,
        hosts: HostsFile,
        resolv_conf: Path = Path("/etc/resolv.conf"),
    ) -> None:
        """`servers`: none means those of `resolv_conf`. `places`: bounds the look-ups that go on at one time."""
        self._servers = [dns.nameserver.Do53Nameserver(each.host, each.port) for each in servers]
        self._timeout_s = timeout_ms / 1000
        self._places = places
        self._resolv_conf = resolv_conf
        self._hosts = hosts
        self._backend = Backend()

    async def look_up(self, name: str, family: int) -> Answer:
        """The addresses of `name` in AF_INET or AF_INET6. Raises LookUpFailed."""
        known = self._hosts.find(name, family)
        if known is not None:
            return Answer(known)
        async with self._places:
            return await self._ask(name, family)

    async def _ask(self, name: str, family: int) -> Answer:
        try:
            # The library's own limit goes by the wall clock, which may be set.
            async with asyncio.timeout(self._timeout_s):
                found = await self._configured().resolve(
                    name, _RECORD_TYPES[family], search=True, lifetime=self._timeout_s, backend=self._backend
                )
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return Answer(())
        except (TimeoutError, dns.exception.Timeout):
            raise LookUpFailed(f"no answer within {self._timeout_s:g} s") from None
        except dns.resolver.NoNameservers as error:
            raise LookUpFailed(_reason(error)) from None
        except Exception as error:
            # Whatever a strange answer makes the library raise, the name is asked for again.
            raise LookUpFailed(f"{type(error).__name__}: {error}") from error
        addresses = tuple(record.address for record in found if _is_usable(record.address))
        return Answer(addresses, found.chaining_result.minimum_ttl)

    def _configured(self) -> dns.asyncresolver.Resolver:
        # Read for each look-up: a laptop or a container may be told of other servers while we run.
        resolver = dns.asyncresolver.Resolver(configure=False)
        try:
            resolver.read_resolv_conf(self._resolv_conf)
        except (dns.exception.DNSException, OSError, ValueError):
            # As the C library does without one.
            resolver.nameservers = ["127.0.0.1"]
        if self._servers:
            resolver.nameservers = self._servers
        resolver.timeout = self._timeout_s / TRIES
        return resolver


def _is_usable(address: str) -> bool:
    """Whether it is the address of a host: 0.0.0.0 and :: would lead to this one, multicast to none."""
    parsed = ipaddress.ip_address(address)
    return not parsed.is_unspecified and not parsed.is_multicast


def _reason(error: dns.resolver.NoNameservers) -> str:
    """What the last server said, such as SERVFAIL."""
    errors = error.kwargs.get("errors") or []
    return f"{errors[-1][0]}: {errors[-1][3]}" if errors else "no DNS server can be asked"

"""The hosts file: names that need no DNS."""

from __future__ import annotations

import ipaddress
import socket
from pathlib import Path

import structlog

SIZE_LIMIT_BYTES = 1 << 20
"""Bytes that are read of it. Control thread: a longer one, as block lists are, would hold it up."""

log = structlog.get_logger("hopmesh")


class HostsFile:
    """The addresses of a hosts file, by family and name; read anew when it has changed."""

    def __init__(self, path: Path = Path("/etc/hosts")) -> None:
        self._path = path
        self._version: tuple[int, int, int] | None = None
        self._addresses: dict[str, dict[int, list[str]]] = {}

    def find(self, name: str, family: int) -> tuple[str, ...] | None:
        """The addresses of `name` in a family (AF_INET, AF_INET6), in the order of the file; None: not in the file.

        A name that is there has no addresses but those: with one of IPv4 alone, its IPv6 addresses are ().
        `localhost` is always there, whatever the file says (RFC 6761 section 6.3).
        """
        self._refresh()
        name = name.removesuffix(".").lower()
        found = self._addresses.get(name)
        if found is None and name == "localhost":
            found = {socket.AF_INET: ["127.0.0.1"], socket.AF_INET6: ["::1"]}
        return None if found is None else tuple(found.get(family, ()))

    def _refresh(self) -> None:
        try:
            status = self._path.stat()
            version = status.st_mtime_ns, status.st_size, status.st_ino
            if version == self._version:
                return
            with self._path.open("rb") as file:
                data = file.read(SIZE_LIMIT_BYTES + 1)
        except OSError:
            self._version, self._addresses = None, {}
            return
        if len(data) > SIZE_LIMIT_BYTES:
            log.warning("the hosts file is too long: its end is not read", limit_bytes=SIZE_LIMIT_BYTES)
            data = data[: data.rfind(b"\n", 0, SIZE_LIMIT_BYTES) + 1]
        self._version, self._addresses = version, _parse(data.decode("utf-8", "replace"))


def _parse(text: str) -> dict[str, dict[int, list[str]]]:
    addresses: dict[str, dict[int, list[str]]] = {}
    for line in text.splitlines():
        written, *names = line.partition("#")[0].split() or [""]
        try:
            address = ipaddress.ip_address(written)
        except ValueError:
            continue
        if getattr(address, "scope_id", None):
            continue
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        for name in names:
            known = addresses.setdefault(name.removesuffix(".").lower(), {}).setdefault(family, [])
            if str(address) not in known:
                known.append(str(address))
    return addresses

"""Addresses for tests: one of each kind that a listener or an endpoint can have, never with a fixed port."""

from __future__ import annotations

import itertools
import os
import socket
from pathlib import Path
from typing import Literal

from mesh_core.config import parse_address

Kind = Literal["ipv4", "ipv6", "unix", "abstract"]
KINDS: tuple[Kind, ...] = ("ipv4", "ipv6", "unix", "abstract")

_numbers = itertools.count()


def free_address(kind: Kind, folder: Path) -> str:
    """Where to listen: port 0 of a loopback address, or a Unix socket that nobody else has."""
    if kind == "ipv4":
        return "127.0.0.1:0"
    if kind == "ipv6":
        return "[::1]:0"
    name = f"s{next(_numbers)}"
    return f"unix:{folder / name}" if kind == "unix" else f"unix:@hopmesh-test-{os.getpid()}-{name}"


def text_of(listening: socket.socket) -> str:
    """The address of a socket as a configuration writes it."""
    name = listening.getsockname()
    if listening.family == socket.AF_UNIX:
        return f"unix:@{name[1:].decode()}" if isinstance(name, bytes) else f"unix:{name}"
    host = f"[{name[0]}]" if listening.family == socket.AF_INET6 else name[0]
    return f"{host}:{name[1]}"


def new_socket(address: str) -> socket.socket:
    """An unbound stream socket of the family that `address` has."""
    return socket.socket(parse_address(address).family, socket.SOCK_STREAM)

"""Addresses as a configuration writes them: an IP address and a port, or a Unix socket.

    127.0.0.1:8080    0.0.0.0:80    [::1]:8080    [::]:80    unix:/run/app.sock    unix:@abstract-name

Host names are not addresses: where one may stand instead, `host_name` reads it.
"""

from __future__ import annotations

import re
import socket

from msgspec import Struct

from mesh_core.config.wording import quoted

UNIX_PATH_LIMIT_BYTES = 107
"""Bytes of a path or of an abstract name: sockaddr_un holds 108, one of which ends or leads them."""

_PORT = re.compile(r"0|[1-9][0-9]{0,4}")
_EXAMPLE = "write an IP address and a port, for example 127.0.0.1:8080"


class AddressError(ValueError):
    """Text that is no address. `hint` says what to write instead."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class NotAnIPAddress(AddressError):
    """Text that is no address, and may be the name of a host and a port; both as written."""

    def __init__(self, host: str, port: str, text: str) -> None:
        super().__init__(f"a host name is no address: {quoted(text)}", _EXAMPLE)
        self.host = host
        self.port = port


class Address(Struct, frozen=True):
    """Where to listen, or what to connect to.

    `family` is AF_INET, AF_INET6 or AF_UNIX. `host` is an IP address in its shortest form and `port` is from
    0 to 65535; of a Unix socket, `path` is its absolute path, or "@" and the name of an abstract socket.
    """

    family: int
    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        if self.family == socket.AF_UNIX:
            return f"unix:{self.path}"
        host = f"[{self.host}]" if self.family == socket.AF_INET6 else self.host
        return f"{host}:{self.port}"

    @property
    def is_wildcard(self) -> bool:
        """Whether it stands for every IP address of the host, in its family."""
        return self.host in ("0.0.0.0", "::")

    @property
    def is_abstract(self) -> bool:
        """Whether it is a Unix socket with a name of its own rather than a file."""
        return self.path.startswith("@")

    def sockaddr(self) -> tuple[str, int] | bytes:
        """What `socket.bind` and `socket.connect` take for it."""
        if self.family != socket.AF_UNIX:
            return self.host, self.port
        path = self.path.encode("utf-8")
        return b"\0" + path[1:] if self.is_abstract else path


def parse_address(text: str) -> Address:
    """The address that `text` writes. Raises AddressError."""
    if text.startswith("unix:"):
        return _unix(text.removeprefix("unix:"))
    if text.startswith(("/", "./", "@")):
        raise AddressError(
            f"not an address: {quoted(text)}", f"a Unix socket is written {quoted('unix:' + text)}"
        )
    if "://" in text:
        raise AddressError(f"a URL is not an address: {quoted(text)}", _EXAMPLE)
    if text.startswith("["):
        return _bracketed(text)
    host, colon, port = text.rpartition(":")
    if ":" in host:
        hint = f"put an IPv6 address in brackets, for example {quoted('[' + host + ']:' + port)}"
        raise AddressError(f"not an address: {quoted(text)}", hint)
    if not colon:
        raise AddressError(f"no port in {quoted(text)}", _EXAMPLE)
    if host in ("", "*"):
        number = port if _PORT.fullmatch(port) else "8080"
        hint = f"for every address write 0.0.0.0:{number} (IPv4) or [::]:{number} (IPv6)"
        raise AddressError(f"no IP address in {quoted(text)}", hint)
    if not re.fullmatch(r"[0-9.]+|.*%.*", host):
        raise NotAnIPAddress(host, port, text)
    return Address(socket.AF_INET, _host(socket.AF_INET, host, text), parse_port(port, text))


def _bracketed(text: str) -> Address:
    host, bracket, rest = text[1:].partition("]")
    if not bracket or not rest.startswith(":"):
        hint = "write an IPv6 address in brackets and a port, for example [::1]:8080"
        raise AddressError(f"not an address: {quoted(text)}", hint)
    return Address(socket.AF_INET6, _host(socket.AF_INET6, host, text), parse_port(rest[1:], text))


def _host(family: int, host: str, text: str) -> str:
    if "%" in host:
        raise AddressError(f"IPv6 zones are not supported in this version: {quoted(text)}")
    try:
        return socket.inet_ntop(family, socket.inet_pton(family, host))
    except (OSError, ValueError):
        pass
    if family == socket.AF_INET6:
        raise AddressError(f"not an IPv6 address: {quoted(host)}", "for example [::1]:8080")
    raise AddressError(f"not an IPv4 address: {quoted(host)}", "write four numbers from 0 to 255")


def parse_port(port: str, text: str) -> int:
    """The number of a port, 0 to 65535. `text`: what faults show it in. Raises AddressError."""
    if not _PORT.fullmatch(port) or int(port) > 65535:
        raise AddressError(f"not a port: {quoted(port)} in {quoted(text)}", "write a number from 0 to 65535")
    return int(port)


def _unix(path: str) -> Address:
    if not path.startswith(("/", "@")) or len(path) == 1:
        hint = "write an absolute path (unix:/run/app.sock) or an abstract name (unix:@app)"
        raise AddressError(f"not the path of a Unix socket: {quoted(path)}", hint)
    if "\0" in path:
        raise AddressError("a NUL character in the path of a Unix socket")
    try:
        size = len(path.removeprefix("@").encode("utf-8"))
    except UnicodeEncodeError:
        raise AddressError(f"not text: {quoted(path)}") from None
    if size > UNIX_PATH_LIMIT_BYTES:
        hint = f"the kernel takes at most {UNIX_PATH_LIMIT_BYTES}"
        raise AddressError(f"the path of the Unix socket has {size} bytes: {quoted(path)}", hint)
    return Address(socket.AF_UNIX, path=path)

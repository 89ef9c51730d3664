"""Socket addresses as C structs and as text, next to Python's own."""

from __future__ import annotations

import socket
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh_core._testing.net import address_format, address_from_ip, address_from_path, address_is_wildcard


@settings(deadline=None)
@given(host=st.ip_addresses(), port=st.integers(0, 65535))
def test_ip_there_and_back(host: object, port: int) -> None:
    family = socket.AF_INET6 if ":" in str(host) else socket.AF_INET
    canonical = socket.inet_ntop(family, socket.inet_pton(family, str(host)))
    expected = f"[{canonical}]:{port}" if family == socket.AF_INET6 else f"{canonical}:{port}"
    assert address_format(address_from_ip(str(host), port)) == expected


@pytest.mark.parametrize(
    ("host", "port", "text"),
    [
        ("127.0.0.1", 80, "127.0.0.1:80"),
        ("255.255.255.255", 65535, "255.255.255.255:65535"),
        ("0.0.0.0", 0, "0.0.0.0:0"),
        ("::", 0, "[::]:0"),
        ("2001:DB8:0:0:0:0:0:1", 443, "[2001:db8::1]:443"),
        ("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", 1, "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:1"),
        ("::ffff:1.2.3.4", 5, "[::ffff:1.2.3.4]:5"),
    ],
)
def test_ip_text(host: str, port: int, text: str) -> None:
    assert address_format(address_from_ip(host, port)) == text


@pytest.mark.parametrize("host", ["", "localhost", "1.2.3", "1.2.3.4.5", "1.2.3.256", "::1%lo", "[::1]", " 1.2.3.4"])
def test_no_ip(host: str) -> None:
    assert address_from_ip(host, 1) == b""


def test_layout_is_the_kernels() -> None:
    assert address_from_ip("1.2.3.4", 258) == struct.pack("=H", socket.AF_INET) + b"\x01\x02\x01\x02\x03\x04" + bytes(8)
    v6 = address_from_ip("::1", 258)
    assert v6 == struct.pack("=H", socket.AF_INET6) + b"\x01\x02" + bytes(4) + bytes(15) + b"\x01" + bytes(4)


def test_unix_paths() -> None:
    family = struct.pack("=H", socket.AF_UNIX)
    assert address_from_path(b"/run/app.sock") == family + b"/run/app.sock\0"
    assert address_from_path(b"\0name") == family + b"\0name"
    assert address_from_path(b"/" * 107) == family + b"/" * 107 + b"\0"
    # An abstract name needs no NUL at its end, so its own leading one and 107 bytes fit.
    assert address_from_path(b"\0" + b"n" * 107) == family + b"\0" + b"n" * 107
    for too_long in (b"/" * 108, b"\0" + b"n" * 108, b""):
        assert address_from_path(too_long) == b""


def test_the_longest_abstract_name_is_the_kernels_too() -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(b"\0" + b"n" * 107)


def test_addresses_without_text() -> None:
    assert address_format(struct.pack("=H", socket.AF_UNIX) + b"/run/app.sock") == "unix:"
    assert address_format(b"") == "-"


@pytest.mark.parametrize(
    ("host", "wildcard"),
    [("0.0.0.0", True), ("::", True), ("0.0.0.1", False), ("::1", False), ("8000::", False), ("::ffff:0.0.0.0", False)],
)
def test_wildcards(host: str, wildcard: bool) -> None:
    assert address_is_wildcard(address_from_ip(host, 80)) is wildcard
    assert not address_is_wildcard(struct.pack("=H", socket.AF_UNIX))

"""Addresses: what is one, and how it is written back. What is none is in the table of bad files."""

from __future__ import annotations

import socket

import pytest
from config_strategies import ADDRESSES
from hypothesis import given
from hypothesis import strategies as st

from mesh_core.config import Address, AddressError, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8080", Address(socket.AF_INET, "127.0.0.1", 8080)),
        ("0.0.0.0:0", Address(socket.AF_INET, "0.0.0.0", 0)),
        ("[::1]:8080", Address(socket.AF_INET6, "::1", 8080)),
        ("[0:0:0:0:0:0:0:0]:65535", Address(socket.AF_INET6, "::", 65535)),
        ("[2001:DB8::1]:80", Address(socket.AF_INET6, "2001:db8::1", 80)),
        ("unix:/run/a b.sock", Address(socket.AF_UNIX, path="/run/a b.sock")),
        ("unix:@name", Address(socket.AF_UNIX, path="@name")),
        ("unix:/" + "a" * 106, Address(socket.AF_UNIX, path="/" + "a" * 106)),
        ("unix:@" + "a" * 107, Address(socket.AF_UNIX, path="@" + "a" * 107)),
    ],
)
def test_good(text: str, address: Address) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["unix:/" + "a" * 107, "unix:@" + "a" * 108, "unix:/" + "é" * 54])
def test_too_long_for_the_kernel(text: str) -> None:
    with pytest.raises(AddressError, match="bytes"):
        parse_address(text)


@given(ADDRESSES)
def test_written_back_it_is_the_same(text: str) -> None:
    address = parse_address(text)
    assert parse_address(str(address)) == address


@given(st.text() | st.text(st.sampled_from("0123456789.:[]@/%unix*")))
def test_any_text_is_an_address_or_an_address_error(text: str) -> None:
    try:
        address = parse_address(text)
    except AddressError as error:
        assert error.message.isprintable()
    else:
        assert parse_address(str(address)) == address


@pytest.mark.parametrize("text", ["127.0.0.1:0", "[::1]:0", "unix:@hopmesh-test-address"])
def test_the_kernel_takes_it(text: str) -> None:
    address = parse_address(text)
    with socket.socket(address.family) as listener:
        try:
            listener.bind(address.sockaddr())
        except OSError:
            if address.family != socket.AF_INET6:
                raise
            pytest.skip("no IPv6 on this host")
        assert listener.getsockname()


def test_kinds() -> None:
    assert parse_address("[::]:80").is_wildcard
    assert not parse_address("[::1]:80").is_wildcard
    assert parse_address("unix:@a").is_abstract
    assert not parse_address("unix:/a").is_abstract

"""Host names and ports, and the addresses of DNS servers. What is none is in the table of bad files."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh_core.config import Address, AddressError, HostName, parse_endpoint, parse_resolver


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("db.example:5432", HostName("db.example", 5432)),
        ("DB.Example.:5432", HostName("db.example.", 5432)),
        ("localhost:0", HostName("localhost", 0)),
        ("_db-1.a_b:1", HostName("_db-1.a_b", 1)),
        ("1.2.3.4a:1", HostName("1.2.3.4a", 1)),
        ("x" * 63 + ":1", HostName("x" * 63, 1)),
        ("xn--bcher-kva.example:80", HostName("xn--bcher-kva.example", 80)),
        ("127.0.0.1:80", Address(socket.AF_INET, "127.0.0.1", 80)),
        ("[::1]:80", Address(socket.AF_INET6, "::1", 80)),
        ("unix:/run/app", Address(socket.AF_UNIX, path="/run/app")),
    ],
)
def test_endpoints(text: str, endpoint: Address | HostName) -> None:
    assert parse_endpoint(text) == endpoint


@pytest.mark.parametrize("host", ["x" * 64, ".".join(["x" * 63] * 4), "a..b", ".", "", "a-", "-a", "a b", "é", "a%b"])
def test_no_host_names(host: str) -> None:
    with pytest.raises(AddressError):
        parse_endpoint(f"{host}:80")


def test_the_longest_name() -> None:
    name = ".".join(["x" * 63] * 3 + ["x" * 61])
    assert len(name) == 253
    assert parse_endpoint(name + ".:80") == HostName(name + ".", 80)
    with pytest.raises(AddressError):
        parse_endpoint(name + "x:80")


@given(st.text() | st.text(st.sampled_from("aZ09.:-_[]/")))
def test_any_text_is_an_endpoint_or_an_address_error(text: str) -> None:
    try:
        endpoint = parse_endpoint(text)
    except AddressError as error:
        assert error.message.isprintable()
    else:
        assert parse_endpoint(str(endpoint)) == endpoint


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("10.0.0.10", Address(socket.AF_INET, "10.0.0.10", 53)),
        ("10.0.0.10:5353", Address(socket.AF_INET, "10.0.0.10", 5353)),
        ("2001:db8::53", Address(socket.AF_INET6, "2001:db8::53", 53)),
        ("[2001:db8::53]:5353", Address(socket.AF_INET6, "2001:db8::53", 5353)),
    ],
)
def test_resolvers(text: str, address: Address) -> None:
    assert parse_resolver(text) == address


@given(st.text() | st.text(st.sampled_from("0123456789.:[]af")))
def test_any_text_is_a_resolver_or_an_address_error(text: str) -> None:
    try:
        assert parse_resolver(text).port > 0
    except AddressError as error:
        assert error.message.isprintable()

"""Hashes of requests, and the cookies that are made for them."""

from __future__ import annotations

import socket
import struct
from typing import Any

import pytest
from routed import forwarding, request

from mesh_core._testing.picks import hash_bytes

MASK = 2**64 - 1
MADE = b"%016x"


def hashed(policies: list[dict[str, Any]], asked: Any, random: int = 7) -> tuple[int | None, bytes | None]:
    route, _snapshot = forwarding(hash_policy=policies)
    found: tuple[int | None, bytes | None] = route.hash(asked, random)
    return found


def combined(*parts: bytes) -> int:
    """As Envoy's HashPolicyImpl::generateHash."""
    whole = 0
    for part in parts:
        whole = ((whole << 1 | whole >> 63) & MASK) ^ hash_bytes(part)
    return whole


def from_ip(address: str) -> bytes:
    """A socket address."""
    if ":" in address:
        packed = socket.inet_pton(socket.AF_INET6, address)
        return struct.pack("=HHI16sI", socket.AF_INET6, 1234, 0, packed, 0)
    return struct.pack("=HH4s8x", socket.AF_INET, 1234, socket.inet_pton(socket.AF_INET, address))


def test_without_a_policy() -> None:
    assert hashed([], request("/")) == (None, None)


@pytest.mark.parametrize(
    ("policy", "target", "fields", "wanted"),
    [
        ({"header": "X-User"}, "/", ["x-user: ann"], b"ann"),
        ({"header": "x-user"}, "/", ["x-user:"], b""),
        ({"header": "x-user"}, "/", ["x-users: ann"], None),
        ({"cookie": {"name": "u"}}, "/", ["cookie: v=1; u=ann"], b"ann"),
        ({"cookie": {"name": "u"}}, "/", ['cookie: u="ann"'], b"ann"),
        ({"cookie": {"name": "u"}}, "/", ["cookie: v=1"], None),
        ({"query_parameter": "u"}, "/?v=1&u=ann&u=bob", [], b"ann"),
        ({"query_parameter": "u"}, "/?u=%61=b", [], b"%61=b"),
        ({"query_parameter": "u"}, "/?uu=1&u", [], b""),
        ({"query_parameter": "u"}, "/?u", [], b""),
        ({"query_parameter": "u"}, "/?&&u=&", [], b""),
        ({"query_parameter": "u"}, "/?v=u=1&U=1&uu=2", [], None),
        ({"query_parameter": "u"}, "/?", [], None),
        ({"query_parameter": "u"}, "/", [], None),
    ],
)
def test_parts(policy: dict[str, Any], target: str, fields: list[str], wanted: bytes | None) -> None:
    assert hashed([policy], request(target, *fields)) == (None if wanted is None else hash_bytes(wanted), None)


def test_lines_of_a_header_in_any_order() -> None:
    policy: list[dict[str, Any]] = [{"header": "x"}]
    one, other = request("/", "x: 1", "X: 2", "y: 3"), request("/", "x: 2", "y: 4", "x: 1")
    assert hashed(policy, one) == hashed(policy, other)
    assert hashed(policy, one) != hashed(policy, request("/", "x: 1"))
    assert hashed(policy, request("/", "x: 1", "x: 1")) != hashed(policy, request("/"))


def test_a_header_for_this_connection_only_does_not_count() -> None:
    assert hashed([{"header": "x"}], request("/", "connection: x", "x: 1")) == (None, None)


def test_source_addresses() -> None:
    def of(address: bytes | None) -> int | None:
        return hashed([{"source_ip": True}], request("/", remote=address))[0]

    assert of(from_ip("10.0.0.1")) == hash_bytes(bytes([10, 0, 0, 1])) == of(from_ip("::ffff:10.0.0.1"))
    assert of(from_ip("2001:db8::1")) == hash_bytes(socket.inet_pton(socket.AF_INET6, "2001:db8::1"))
    assert of(struct.pack("=H", socket.AF_UNIX)) is None
    assert of(None) is None


def test_combined_as_in_envoy() -> None:
    policies: list[dict[str, Any]] = [{"header": "x"}, {"cookie": {"name": "c"}}, {"query_parameter": "q"}]
    assert hashed(policies, request("/?q=3", "x: 1", "cookie: c=2"))[0] == combined(b"1", b"2", b"3")
    assert hashed(policies, request("/?q=3", "x: 1"))[0] == combined(b"1", b"3")
    assert hashed(policies, request("/?q=1", "x: 1"))[0] not in (0, hash_bytes(b"1"))
    assert hashed(policies, request("/")) == (None, None)


def test_terminal() -> None:
    policies: list[dict[str, Any]]
    policies = [{"header": "x", "terminal": True}, {"header": "y", "terminal": True}, {"header": "z"}]
    assert hashed(policies, request("/", "x: 1", "y: 2", "z: 3"))[0] == combined(b"1")
    assert hashed(policies, request("/", "y: 2", "z: 3"))[0] == combined(b"2")
    assert hashed(policies, request("/", "z: 3"))[0] == combined(b"3")
    # Also a terminal part that is not there ends it, once there is a hash.
    policies = [{"header": "x"}, {"header": "y", "terminal": True}, {"header": "z"}]
    assert hashed(policies, request("/", "x: 1", "z: 3"))[0] == combined(b"1")


def test_a_cookie_that_is_made_leads_back() -> None:
    policies: list[dict[str, Any]] = [{"header": "x"}, {"cookie": {"name": "u", "ttl_s": 3600, "path": "/shop"}}]
    random = 0xFEDC_BA98_7654_3210
    value, cookie = hashed(policies, request("/", "x: 1"), random)
    assert cookie == b"u=fedcba9876543210; Max-Age=3600; Path=/shop; HttpOnly"
    assert hashed(policies, request("/", "x: 1", "cookie: u=fedcba9876543210"), 5) == (value, None)
    assert value == combined(b"1", MADE % random)


def test_a_cookie_of_the_browser_session() -> None:
    policies: list[dict[str, Any]] = [{"cookie": {"name": "u", "ttl_s": 0}}]
    assert hashed(policies, request("/"), 1) == (hash_bytes(MADE % 1), b"u=0000000000000001; Path=/; HttpOnly")


def test_no_cookie_is_made_behind_a_terminal_part() -> None:
    policies: list[dict[str, Any]] = [{"header": "x", "terminal": True}, {"cookie": {"name": "u", "ttl_s": 0}}]
    assert hashed(policies, request("/", "x: 1")) == (hash_bytes(b"1"), None)


def test_the_longest_cookie_fits() -> None:
    path = "/" + "p" * 4095
    policies = [{"cookie": {"name": "n" * 256, "ttl_s": 34_560_000, "path": path}}]
    made = hashed(policies, request("/"), 0)[1]
    assert made == b"%s=%s; Max-Age=34560000; Path=%s; HttpOnly" % (b"n" * 256, MADE % 0, path.encode())

"""The PROXY protocol: tables of the specification's cases, and a second parser as an oracle."""

from __future__ import annotations

import random
import socket
import struct
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from proxy_protocol_oracle import FAMILIES, SIGNATURE, Header, Incomplete, Refused, crc32c, parse

from mesh_core._testing.net import FAULTS, PROXY_V2_LIMIT, PROXY_WRITE_LIMIT, proxy_parse, proxy_write

KINDS = {code: kind for kind, code in FAULTS.items()}
SEEDS = sorted((Path(__file__).parents[3] / "fuzz" / "seeds" / "proxy_protocol").iterdir())


def packed6(host: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6, host)


def sockaddr(host: str, port: int) -> bytes:
    if ":" in host:
        return struct.pack("=HHI16sI", socket.AF_INET6, socket.htons(port), 0, packed6(host), 0)
    return struct.pack("=HH4s8x", socket.AF_INET, socket.htons(port), socket.inet_aton(host))


def end(address: bytes) -> tuple[str, int] | str | None:
    family, port = struct.unpack_from("=HH", address)
    if family == socket.AF_INET:
        return socket.inet_ntop(family, address[4:8]), socket.ntohs(port)
    if family == socket.AF_INET6:
        return socket.inet_ntop(family, address[8:24]), socket.ntohs(port)
    return "unix" if family == socket.AF_UNIX else None


def compiled(data: bytes) -> Header | str:
    """What the compiled parser makes of it: a header, or the kind of fault."""
    result, version, local, source, destination = proxy_parse(data)
    if result <= 0:
        return KINDS[result]
    return Header(result, version, local, end(source), end(destination))


def judged(data: bytes) -> Header | str:
    try:
        return parse(data)
    except Incomplete:
        return "incomplete"
    except Refused as refused:
        return str(refused)


def v2(family: int, body: bytes, command: int = 0x21, size: int | None = None) -> bytes:
    return SIGNATURE + struct.pack(">BBH", command, family, len(body) if size is None else size) + body


def tlv(kind: int, value: bytes) -> bytes:
    return struct.pack(">BH", kind, len(value)) + value


def with_checksum(family: int, body: bytes, wrong: int = 0) -> bytes:
    blank = v2(family, body + tlv(3, bytes(4)))
    return blank[:-4] + (crc32c(blank) ^ wrong).to_bytes(4, "big")


V4 = socket.inet_aton("192.0.2.1") + socket.inet_aton("198.51.100.2") + struct.pack(">HH", 1234, 443)
V6 = packed6("2001:db8::1") + packed6("::") + struct.pack(">HH", 1, 0)
FROM4, TO4 = ("192.0.2.1", 1234), ("198.51.100.2", 443)
FROM6, TO6 = ("2001:db8::1", 1), ("::", 0)
LONG6 = b"ffff:f...f:ffff"

ACCEPTED = [
    (b"PROXY TCP4 192.0.2.1 198.51.100.2 1234 443\r\n", Header(44, 1, False, FROM4, TO4)),
    (b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
     Header(56, 1, False, ("255.255.255.255", 65535), ("255.255.255.255", 65535))),
    (b"PROXY TCP6 2001:db8::1 :: 1 0\r\n", Header(31, 1, False, FROM6, TO6)),
    (b"PROXY TCP6 ::ffff:1.2.3.4 ::1 5 6\r\n", Header(35, 1, False, ("::ffff:1.2.3.4", 5), ("::1", 6))),
    (b"PROXY UNKNOWN\r\n", Header(15, 1)),
    (b"PROXY UNKNOWN ffff:f:f ffff:f:f 65535 65535\r\n", Header(45, 1)),
    (b"PROXY UNKNOWN \x00 anything  at all\r\n", Header(34, 1)),
    (b"PROXY UNKNOWN " + b"x" * 91 + b"\r\n", Header(107, 1)),
    (v2(0x11, V4), Header(28, 2, False, FROM4, TO4)),
    (v2(0x12, V4), Header(28, 2, False, FROM4, TO4)),
    (v2(0x21, V6), Header(52, 2, False, FROM6, TO6)),
    (v2(0x22, V6), Header(52, 2, False, FROM6, TO6)),
    (v2(0x31, bytes(216)), Header(232, 2, False, "unix", "unix")),
    (v2(0x32, b"/" * 216), Header(232, 2, False, "unix", "unix")),
    (v2(0x00, b""), Header(16, 2)),
    (v2(0x00, b"\xff\xff\xff"), Header(19, 2)),
    (v2(0x00, b"", command=0x20), Header(16, 2, True)),
    (v2(0x00, b"1234567", command=0x20), Header(23, 2, True)),
    # Of LOCAL, the family is ignored and the rest is discarded.
    (v2(0x11, V4, command=0x20), Header(28, 2, True)),
    (v2(0x11, b"", command=0x20), Header(16, 2, True)),
    (v2(0x77, b"\x03\x00\x01", command=0x20), Header(19, 2, True)),
    (v2(0x11, V4 + tlv(1, b"h2") + tlv(4, b"") + tlv(0x20, b"\x01" + bytes(4))), Header(44, 2, False, FROM4, TO4)),
    (with_checksum(0x11, V4), Header(35, 2, False, FROM4, TO4)),
    (with_checksum(0x21, V6 + tlv(2, b"example.org")), Header(73, 2, False, FROM6, TO6)),
    (v2(0x11, V4 + tlv(4, bytes(PROXY_V2_LIMIT - 28 - 3))), Header(4096, 2, False, FROM4, TO4)),
]

REFUSED = [
    (b"GET / HTTP/1.1\r\n\r\n", "signature"),
    (b"\x16\x03\x01", "signature"),
    (b"POST", "signature"),
    (b"PROXYTCP4", "signature"),
    (b"\r\n\r\n\0\r\nQUIX", "signature"),
    (b"PROXY\n", "signature"),
    (b"PROXY \r\n", "line"),
    (b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\n", "line"),
    (b"PROXY  TCP4 1.1.1.1 2.2.2.2 1 2\r\n", "line"),
    (b"PROXY TCP4 1.1.1.1  2.2.2.2 1 2\r\n", "line"),
    (b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2 \r\n", "line"),
    (b"PROXY TCP4 1.1.1.1 2.2.2.2 1\r\n", "line"),
    (b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n", "line"),
    (b"PROXY TCP4\t1.1.1.1 2.2.2.2 1 2\r\n", "line"),
    (b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\r\n", "line"),
    (b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\0\r\n", "line"),
    (b"PROXY UNKNOWNX\r\n", "line"),
    (b"PROXY UNKNOWN " + b"x" * 92 + b"\r\n", "line"),
    (b"PROXY TCP4 " + b"x" * 200, "line"),
    (b"PROXY tcp4 1.1.1.1 2.2.2.2 1 2\r\n", "family"),
    (b"PROXY TCP5 1.1.1.1 2.2.2.2 1 2\r\n", "family"),
    (b"PROXY UDP4 1.1.1.1 2.2.2.2 1 2\r\n", "family"),
    (b"PROXY TCP4 1.1.1 2.2.2.2 1 2\r\n", "address"),
    (b"PROXY TCP4 1.1.1.256 2.2.2.2 1 2\r\n", "address"),
    (b"PROXY TCP4 01.1.1.1 2.2.2.2 1 2\r\n", "address"),
    (b"PROXY TCP4 ::1 ::2 1 2\r\n", "address"),
    (b"PROXY TCP6 1.1.1.1 2.2.2.2 1 2\r\n", "address"),
    (b"PROXY TCP6 " + LONG6 + b" ::2 1 2\r\n", "address"),
    (b"PROXY TCP6 ::1%lo ::2 1 2\r\n", "address"),
    (b"PROXY TCP4 1.1.1.1 2.2.2.2 01 2\r\n", "address"),
    (b"PROXY TCP4 1.1.1.1 2.2.2.2 1 65536\r\n", "address"),
    (b"PROXY TCP4 1.1.1.1 2.2.2.2 1 123456\r\n", "address"),
    (b"PROXY TCP4 1.1.1.1 2.2.2.2 -1 2\r\n", "address"),
    (b"PROXY TCP4 1.1.1.1 2.2.2.2 +1 2\r\n", "address"),
    (v2(0x11, V4, command=0x11), "version"),
    (v2(0x11, V4, command=0x31), "version"),
    (v2(0x11, V4, command=0x22), "command"),
    (v2(0x13, V4), "family"),
    (v2(0x41, V4), "family"),
    (v2(0x10, V4), "family"),
    (v2(0x01, b""), "family"),
    (v2(0x11, V4[:-1]), "length"),
    (v2(0x21, V4), "length"),
    (v2(0x31, bytes(215)), "length"),
    (v2(0x11, V4, size=65535), "length"),
    (v2(0x11, V4, size=4081), "length"),
    (v2(0x11, V4 + b"\x01"), "tlv"),
    (v2(0x11, V4 + b"\x01\x00"), "tlv"),
    (v2(0x11, V4 + b"\x01\x00\x01"), "tlv"),
    (v2(0x11, V4 + tlv(3, bytes(3))), "tlv"),
    (v2(0x11, V4 + tlv(3, bytes(5))), "tlv"),
    (with_checksum(0x11, V4, wrong=1), "checksum"),
    (v2(0x21, V6 + tlv(3, bytes(4))), "checksum"),
]


@pytest.mark.parametrize(("data", "expected"), ACCEPTED)
def test_accepted(data: bytes, expected: Header) -> None:
    assert compiled(data) == judged(data) == expected
    # What follows a header is none of its business.
    assert compiled(data + b"GET /") == compiled(data + b"\n\r\0") == expected


@pytest.mark.parametrize(("data", "expected"), ACCEPTED)
def test_cut_at_every_byte(data: bytes, expected: Header) -> None:
    for cut in range(len(data)):
        assert compiled(data[:cut]) == "incomplete"


@pytest.mark.parametrize(("data", "kind"), REFUSED)
def test_refused(data: bytes, kind: str) -> None:
    assert compiled(data) == judged(data) == kind
    verdicts = [compiled(data[:cut]) for cut in range(len(data))]
    # A fault is told at once or later, and never changes.
    assert set(verdicts) <= {"incomplete", kind}
    assert verdicts == sorted(verdicts, key=lambda verdict: verdict == kind)


def test_the_checksum_of_the_specification() -> None:
    # RFC 3720, appendix B.4, and the usual check value.
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"123456789") == 0xE3069283


def test_every_family_and_command() -> None:
    for command in range(256):
        for family in range(256):
            data = v2(family, bytes(216), command=command)
            assert compiled(data) == judged(data)
            assert compiled(data[:14]) == judged(data[:14])


@pytest.mark.parametrize("seed", SEEDS, ids=lambda path: path.name)
def test_mutated_seeds_against_the_oracle(seed: Path) -> None:
    original = seed.read_bytes()[:600]
    noise = random.Random(seed.name)
    for _ in range(400):
        data = bytearray(original)
        for _ in range(noise.randrange(4)):
            at = noise.randrange(len(data) + 1)
            change = noise.randrange(3)
            if change == 0:
                data[at:at] = bytes([noise.choice(b" \r\n0159:.\0\x03\xff")])
            elif at < len(data):
                data[at : at + 1] = b"" if change == 1 else bytes([noise.randrange(256)])
        assert compiled(bytes(data)) == judged(bytes(data))


TLVS = st.lists(st.builds(tlv, st.integers(0, 255).filter(lambda kind: kind != 3), st.binary(max_size=40)), max_size=4)
PORTS = st.integers(0, 65535)
IPV4, IPV6 = st.ip_addresses(v=4).map(str), st.ip_addresses(v=6).map(str)
LINE_TEXT = st.text(" TCPUNKOW46.:0123456789abcdef\r\n", max_size=120)


@settings(deadline=None, max_examples=300)
@given(
    command=st.sampled_from([0x20, 0x21]),
    family=st.sampled_from(list(FAMILIES)),
    addresses=st.binary(min_size=216, max_size=216),
    tlvs=TLVS,
    checked=st.booleans(),
    rest=st.binary(max_size=20),
)
def test_any_version_2_header(
    *, command: int, family: int, addresses: bytes, tlvs: list[bytes], checked: bool, rest: bytes
) -> None:
    body = addresses[: FAMILIES[family][0]] + b"".join(tlvs)
    data = v2(family, body, command)
    if checked:
        blank = v2(family, body + tlv(3, bytes(4)), command)
        data = blank[:-4] + crc32c(blank).to_bytes(4, "big")
    found = compiled(data + rest)
    assert found == judged(data + rest)
    assert isinstance(found, Header)
    assert found.length == len(data)


@settings(deadline=None, max_examples=300)
@given(
    data=st.one_of(
        st.binary(max_size=200),
        st.binary(max_size=150).map(lambda tail: b"PROXY " + tail),
        st.binary(max_size=300).map(lambda tail: SIGNATURE + tail),
        LINE_TEXT.map(lambda text: b"PROXY " + text.encode()),
    )
)
@example(data=b"")
def test_any_bytes(data: bytes) -> None:
    assert compiled(data) == judged(data)


@settings(deadline=None, max_examples=200)
@given(
    version=st.sampled_from([1, 2]),
    ports=st.tuples(PORTS, PORTS),
    hosts=st.one_of(st.tuples(IPV4, IPV4), st.tuples(IPV6, IPV6)),
)
def test_what_is_written_is_read(version: int, ports: tuple[int, int], hosts: tuple[str, str]) -> None:
    family = socket.AF_INET6 if ":" in hosts[0] else socket.AF_INET
    shortest = [socket.inet_ntop(family, socket.inet_pton(family, host)) for host in hosts]
    ends = list(zip(shortest, ports, strict=True))
    data = proxy_write(version, sockaddr(*ends[0]), sockaddr(*ends[1]))
    assert len(data) <= PROXY_WRITE_LIMIT
    assert compiled(data) == judged(data) == Header(len(data), version, False, *ends)


@pytest.mark.parametrize(("version", "expected"), [(1, b"PROXY UNKNOWN\r\n"), (2, v2(0x00, b"", command=0x20))])
def test_addresses_that_have_no_common_family(version: int, expected: bytes) -> None:
    v4, v6, unix = sockaddr("1.2.3.4", 5), sockaddr("::1", 5), struct.pack("=H", socket.AF_UNIX)
    for source, destination in ((v4, v6), (v6, v4), (unix, unix), (unix, v4), (b"", b""), (v4, b"")):
        assert proxy_write(version, source, destination) == expected


def test_the_longest_line() -> None:
    longest = sockaddr("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535)
    assert len(proxy_write(1, longest, longest)) == 104
    assert len(proxy_write(2, longest, longest)) == 52

"""ClientHello inspection: hellos of a real TLS library, hand-made ones, and a second reader as an oracle."""

from __future__ import annotations

import itertools
import random
import ssl
from dataclasses import replace
from pathlib import Path

import pytest
from client_hello_oracle import Hello, judge
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mesh_core._testing.tls_codecs import (
    CLIENT_HELLO_ALPN_BYTES,
    CLIENT_HELLO_LIMIT,
    CLIENT_HELLO_RECORD_LIMIT,
    CLIENT_HELLO_WIRE_LIMIT,
    hello_parse,
)
from tests.support.client_hellos import (
    GREASE,
    alpn,
    extension,
    hello,
    message,
    record,
    records,
    server_name,
    vector,
    versions,
)

SEEDS = sorted((Path(__file__).parents[3] / "fuzz" / "seeds" / "client_hello").iterdir())


def inspected(data: bytes) -> Hello | str:
    found = hello_parse(data)
    return found if isinstance(found, str) else Hello(*found)


def real_hello(name: str | None, protocols: list[str], highest: ssl.TLSVersion) -> bytes:
    """The first flight of Python's ssl."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.maximum_version = highest
    if protocols:
        context.set_alpn_protocols(protocols)
    outgoing = ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name).do_handshake()
    return outgoing.read()


def payload(one_record: bytes) -> bytes:
    assert len(one_record) == 5 + int.from_bytes(one_record[3:5], "big")
    return one_record[5:]


@pytest.mark.parametrize("name", ["Example.org", "a_b.internal", "192.0.2.1", "2001:db8::1", None])
@pytest.mark.parametrize("protocols", [[], ["h2"], ["istio-peer-exchange", "h2", "http/1.1"]])
@pytest.mark.parametrize("highest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_real_hellos(name: str | None, protocols: list[str], highest: ssl.TLSVersion) -> None:
    data = real_hello(name, protocols, highest)
    # Python sends an address in no server_name extension.
    wanted = name.lower() if name and name[-1].isalpha() else ""
    expected = Hello(len(data), 0x0303, int(highest), wanted, [one.encode() for one in protocols])
    assert inspected(data) == judge(data) == expected
    assert inspected(data + b"\x14\x03\x03\0\x01\x01") == expected
    whole = payload(data)
    for sizes in ([1, 16384], [2, 1, 500], [3, 7], [4, 50], [5, 6, 7, 100], [len(whole) - 1, 1]):
        pieces = records(whole, *sizes)
        found = inspected(pieces)
        if pieces.count(b"\x16\x03\x01") > CLIENT_HELLO_RECORD_LIMIT:
            assert found == "oversized"
        else:
            assert found == Hello(len(pieces), 0x0303, int(highest), wanted, [one.encode() for one in protocols])


# As large as the hello of a browser that sends post-quantum key shares.
KEY_SHARES = b"\x2a\x2a\0\x01\0" + b"\x11\xec" + vector(2, bytes(1216)) + b"\0\x1d" + vector(2, bytes(32))
LARGE = message(
    extension(GREASE[3]), server_name(b"www.Example.COM"), extension(10, vector(2, b"\x2a\x2a\x11\xec\0\x1d")),
    extension(51, vector(2, KEY_SHARES)),
    alpn(b"\xaa\xaa", b"h2", b"http/1.1"), versions(GREASE[9], 0x0304, 0x0303), extension(0xFE0D, bytes(250)),
    extension(GREASE[12], b"\0"), ciphers=b"\x4a\x4a\x13\x01\x13\x02\xc0\x2b",
)  # fmt: skip
WWW = ("www.example.com", [b"h2", b"http/1.1"])

# The largest message that is accepted.
LARGEST = message(extension(9, bytes(CLIENT_HELLO_LIMIT - len(message(extension(9))))))


def says(data: bytes, *fields: object) -> tuple[bytes, Hello]:
    return data, Hello(len(data), *fields)


ACCEPTED = [
    says(hello(), 0x0303, 0x0303),
    says(hello(tail=b""), 0x0303, 0x0303),
    says(hello(tail=b"", version=0x0301), 0x0301, 0x0301),
    says(hello(tail=b"", version=0x0300, session_id=b""), 0x0300, 0x0300),
    says(hello(version=0x0304), 0x0304, 0x0303),
    says(hello(version=0x03FF), 0x03FF, 0x0303),
    says(record(LARGE), 0x0303, 0x0304, *WWW),
    says(records(LARGE, 100), 0x0303, 0x0304, *WWW),
    says(records(LARGE, 1, 1, 1, 1, 1, 1400), 0x0303, 0x0304, *WWW),
    # Versions: unknown ones, drafts and GREASE are passed over.
    says(hello(versions(0x0304)), 0x0303, 0x0304),
    says(hello(versions(0x7F1C, *GREASE, 0x0302)), 0x0303, 0x0302),
    says(hello(versions(0x0305, 0x02FF, 0x0A0A)), 0x0303, 0),
    says(hello(versions(*[0x0304] * 127)), 0x0303, 0x0304),
    # Names.
    says(hello(server_name(b"A")), 0x0303, 0x0303, "a"),
    says(hello(server_name(b"_x-1.b")), 0x0303, 0x0303, "_x-1.b"),
    says(hello(server_name(b"x" * 63 + b"." + b"y" * 63)), 0x0303, 0x0303, "x" * 63 + "." + "y" * 63),
    says(hello(server_name(b"ab." * 84 + b"abc")), 0x0303, 0x0303, "ab." * 84 + "abc"),
    says(hello(server_name(b"10.0.0.1")), 0x0303, 0x0303),
    says(hello(server_name(b"::FFFF:1.2.3.4")), 0x0303, 0x0303),
    says(hello(server_name(b"10.0.0.256")), 0x0303, 0x0303, "10.0.0.256"),
    says(hello(server_name(b"other", kind=7)), 0x0303, 0x0303),
    says(hello(extension(0, vector(2, b"\x05" + vector(2, b"\xff\0"), b"\0" + vector(2, b"b")))), 0x0303, 0x0303, "b"),
    # ALPN.
    says(hello(alpn(b"h2")), 0x0303, 0x0303, "", [b"h2"]),
    says(hello(alpn(b"\0", b"\xff" * 253)), 0x0303, 0x0303, "", [b"\0", b"\xff" * 253]),
    says(hello(alpn(b"\x0a\x1a", b"\x0b\x0b")), 0x0303, 0x0303, "", [b"\x0a\x1a", b"\x0b\x0b"]),
    says(hello(alpn(*(bytes([one & 255] * 2) for one in GREASE))), 0x0303, 0x0303),
    says(hello(alpn(b"\xff" * 255)), 0x0303, 0x0303, "", [b"\xff" * 255]),
    # Extensions that are not known, or empty.
    says(hello(extension(65535, bytes(9000)), extension(1)), 0x0303, 0x0303),
    says(record(message(), version=0x03FF), 0x0303, 0x0303),
    says(record(LARGEST), 0x0303, 0x0303),
    says(records(LARGEST, 256), 0x0303, 0x0303),
]  # fmt: skip

NAME_ONCE = server_name(b"a.example")
REFUSED = [
    (b"GET / HTTP/1.1\r\n\r\n", "not_tls"),
    (b"\x80\x2e\x01\x03\x01" + bytes(40), "not_tls"),     # SSL 2
    (b"\x16\x02\x00", "not_tls"),
    (b"\x16\xfe\xfd" + bytes(20), "not_tls"),             # DTLS
    (record(b"\x02\x28", kind=21), "not_tls"),
    (record(message(), kind=23), "not_tls"),
    (record(b""), "malformed"),
    (b"\x16\x03\x01\x40\x01", "malformed"),
    (b"\x16\x03\x01\xff\xff", "malformed"),
    (record(b"\x02" + message()[1:]), "malformed"),
    (record(b"\x01\0\0\0"), "malformed"),
    (record(message() + b"\0"), "malformed"),
    (record(message() + message()), "malformed"),
    (record(message()[:50]) + record(message()[50:] + b"\0"), "malformed"),
    (record(message()[:2]) + record(message()[2:] + b"\0"), "malformed"),
    (record(message()[:50]) + record(b""), "malformed"),
    (record(message()[:50]) + record(b"\x01", kind=20), "malformed"),
    (record(message()[:50]) + b"\x16\x02", "malformed"),
    (record(b"\x01\0\x3f\xfd"), "oversized"),
    (record(b"\x01\xff\xff\xff" + bytes(90)), "oversized"),
    (record(b"\x01") + record(b"\x01\0\0"), "oversized"),
    (records(LARGE, 20), "oversized"),
    (records(LARGE, 1), "oversized"),
    (hello(version=0x0203), "malformed"),
    (hello(version=0x0403), "malformed"),
    (hello(session_id=bytes(33)), "malformed"),
    (hello(ciphers=b""), "malformed"),
    (hello(ciphers=bytes(3)), "malformed"),
    (hello(compression=b""), "malformed"),
    (hello(tail=b"\0"), "malformed"),
    (hello(tail=b"\0\x01"), "malformed"),
    (hello(tail=b"\0\0\0"), "malformed"),
    (hello(tail=vector(2, b"\0\x09")), "malformed"),
    (hello(tail=vector(2, b"\0\x09\0\x01")), "malformed"),
    (hello(tail=vector(2, extension(9)) + b"\0"), "malformed"),
    (hello(extension(9), extension(8), extension(9)), "malformed"),
    (hello(NAME_ONCE, NAME_ONCE), "malformed"),
    (hello(extension(GREASE[0]), extension(GREASE[0])), "malformed"),
    (hello(extension(65535), extension(65535)), "malformed"),
    (hello(extension(0)), "malformed"),
    (hello(extension(0, vector(2))), "malformed"),
    (hello(extension(0, vector(2, b"\0"))), "malformed"),
    (hello(extension(0, vector(2, b"\0" + vector(2)))), "malformed"),
    (hello(extension(0, vector(2, b"\0" + vector(2, b"a")) + b"\0")), "malformed"),
    (hello(extension(0, vector(2, b"\0" + vector(2, b"a"), b"\0" + vector(2, b"b")))), "malformed"),
    (hello(extension(0, vector(2, b"\0" + vector(2, b"1.1.1.1"), b"\0" + vector(2, b"b")))), "malformed"),
    (hello(extension(0, vector(2, b"\0" + vector(2, b"a"), b"\x01"))), "malformed"),
    *((hello(server_name(name)), "malformed") for name in (
        b"a\0b", b"\0", b"a b", b".", b"a.", b".a", b"a..b", b"a/b", b"*.a", b"\xc3\xa9.org", b"a:443", b"[::1]",
        b"a\x7f", b"fe80::1%lo", b"x" * 64, b"a." + b"x" * 64 + b".b", b"ab." * 85 + b"a", b"a" * 1000)),
    (hello(extension(16)), "malformed"),
    (hello(extension(16, vector(2))), "malformed"),
    (hello(extension(16, vector(2, b"\0"))), "malformed"),
    (hello(alpn(b"h2", b"")), "malformed"),
    (hello(alpn(b"", b"h2")), "malformed"),
    (hello(extension(16, vector(2, b"\x03h2"))), "malformed"),
    (hello(extension(16, vector(2, b"\x02h2") + b"\0")), "malformed"),
    (hello(alpn(b"\0", b"\xff" * 254)), "oversized"),
    (hello(alpn(*[b"http/1.1"] * 29)), "oversized"),
    (hello(extension(43)), "malformed"),
    (hello(versions()), "malformed"),
    (hello(extension(43, b"\x01\x03")), "malformed"),
    (hello(extension(43, b"\x03\x03\x04\x03")), "malformed"),
    (hello(extension(43, b"\x04\x03\x04")), "malformed"),
    (hello(extension(43, b"\x02\x03\x04\x03")), "malformed"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "expected"), ACCEPTED, ids=itertools.count())
def test_accepted(data: bytes, expected: Hello | str) -> None:
    assert inspected(data) == judge(data) == expected
    # What follows a hello is none of its business.
    assert inspected(data + b"\x17\x03\x03") == inspected(data + b"\0") == expected


@pytest.mark.parametrize(("data", "kind"), REFUSED, ids=itertools.count())
def test_refused(data: bytes, kind: str) -> None:
    assert inspected(data) == judge(data) == kind


@pytest.mark.parametrize("data", [data for data, _ in ACCEPTED + REFUSED], ids=itertools.count())
def test_cut_at_every_byte(data: bytes) -> None:
    whole = inspected(data)
    verdicts = [inspected(data[:cut]) for cut in range(len(data))]
    # A verdict is told at once or later, and never changes.
    told = next((at for at, verdict in enumerate(verdicts) if verdict != "incomplete"), len(verdicts))
    assert all(verdict == whole for verdict in verdicts[told:])
    if isinstance(whole, Hello):
        assert told == len(data) == whole.wire_bytes


@pytest.mark.parametrize("size", [2, 3, 4, 5, 10, 100])
def test_the_limit_of_records(size: int) -> None:
    room = size * CLIENT_HELLO_RECORD_LIMIT
    for spare in (1, 0, -1):
        padding = bytes(room - spare - len(message(extension(9))))
        data = records(message(extension(9, padding)), size)
        assert isinstance(inspected(data), Hello) == (spare >= 0)
        assert inspected(data) == judge(data)


def test_no_input_waits_for_more_than_the_limit() -> None:
    assert len(LARGEST) == CLIENT_HELLO_LIMIT
    data = records(LARGEST, CLIENT_HELLO_LIMIT // CLIENT_HELLO_RECORD_LIMIT)
    assert len(data) == CLIENT_HELLO_WIRE_LIMIT
    assert inspected(data[:-1]) == "incomplete"
    assert isinstance(inspected(data), Hello)
    assert inspected(record(b"\x01" + (CLIENT_HELLO_LIMIT - 3).to_bytes(3, "big"))) == "oversized"


def test_the_fullest_protocol_list() -> None:
    for number in (127, 128, 129):
        found = inspected(hello(alpn(*[b"x"] * number)))
        assert isinstance(found, Hello) == (2 * number <= CLIENT_HELLO_ALPN_BYTES)


@pytest.mark.parametrize("seed", SEEDS, ids=lambda path: path.name)
def test_mutated_seeds_against_the_oracle(seed: Path) -> None:
    original = seed.read_bytes()[:2500]
    noise = random.Random(seed.name)
    for _ in range(300):
        data = bytearray(original)
        for _ in range(noise.randrange(1, 4)):
            at = noise.randrange(len(data) + 1)
            change = noise.randrange(4)
            if change == 0:
                data[at:at] = bytes([noise.choice(b"\0\x01\x03\x16\x2b.\xff")])
            elif at < len(data):
                data[at : at + 1] = b"" if change == 1 else bytes([(data[at] + noise.choice([1, 255, 128])) & 255])
        assert inspected(bytes(data)) == judge(bytes(data))


ADDRESSES = st.ip_addresses().map(lambda address: str(address).encode())
NAMES = st.one_of(st.from_regex(rb"[A-Za-z0-9_.-]{1,40}", fullmatch=True), ADDRESSES, st.binary(max_size=30))
PROTOCOLS = st.one_of(st.binary(max_size=60), st.sampled_from([b"h2", b"\x0a\x0a"]))
EXTENSIONS = st.one_of(
    NAMES.map(server_name),
    st.lists(PROTOCOLS, max_size=8).map(lambda protocols: alpn(*protocols)),
    st.lists(st.sampled_from([0x0301, 0x0303, 0x0304, *GREASE]), max_size=6).map(lambda numbers: versions(*numbers)),
    st.builds(extension, st.sampled_from([0, 5, 10, 16, 43, 51, 65281, *GREASE]), st.binary(max_size=40)),
)


@settings(deadline=None, max_examples=400)
@given(
    extensions=st.lists(EXTENSIONS, max_size=6),
    session_id=st.binary(max_size=33),
    ciphers=st.binary(max_size=9),
    sizes=st.lists(st.integers(1, 200), min_size=1, max_size=9),
    rest=st.binary(max_size=9),
)
def test_any_hello_in_any_records(
    extensions: list[bytes], session_id: bytes, ciphers: bytes, sizes: list[int], rest: bytes
) -> None:
    whole = message(*extensions, session_id=session_id, ciphers=ciphers)
    data = records(whole, *sizes)
    found = inspected(data + rest)
    assert found == judge(data + rest)
    one = inspected(record(whole))
    if isinstance(found, Hello):
        assert one == replace(found, wire_bytes=len(whole) + 5)
    elif len(data) - len(whole) <= 5 * CLIENT_HELLO_RECORD_LIMIT:
        assert found == one


@settings(deadline=None, max_examples=300)
@given(
    data=st.one_of(
        st.binary(max_size=200),
        st.binary(max_size=200).map(lambda tail: b"\x16\x03" + tail),
        st.binary(max_size=300).map(lambda body: record(b"\x01" + vector(3, b"\x03\x03" + bytes(32) + body))),
        st.binary(max_size=300).map(lambda body: hello(tail=vector(2, body))),
    )
)
@example(data=b"")
def test_any_bytes(data: bytes) -> None:
    assert inspected(data) == judge(data)

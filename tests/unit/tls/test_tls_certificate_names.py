"""Names, usages and validity in certificates: those of a real library, and DER made by hand."""

from __future__ import annotations

import calendar
import contextlib
import datetime
import ipaddress
import itertools
import random
from pathlib import Path

import pytest
from certificates import (
    ANY_USAGE,
    BASIC_CONSTRAINTS,
    CLIENT_AUTH,
    EMAIL_PROTECTION,
    END,
    GENERALIZED,
    KEY_USAGE,
    NAME,
    SERVER_AUTH,
    START,
    SUBJECT_ALT_NAME,
    UTC,
    alt_names,
    der,
    der_of,
    dns,
    extension,
    hand_made,
    real,
    uri,
    usages,
)
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh_core._testing.tls_codecs import (
    CERTIFICATE_EXTENSION_LIMIT,
    USAGE_ANY,
    USAGE_CLIENT_AUTH,
    USAGE_OTHER,
    USAGE_SERVER_AUTH,
    certificate_parse,
    dns_name_matches,
)

SEEDS = Path(__file__).parents[3] / "fuzz" / "seeds" / "certificate_names"
PEER = "spiffe://mesh.local/ns/shop/sa/cart"
FULL = real(
    x509.SubjectAlternativeName([
        x509.RFC822Name("who@example.org"), x509.IPAddress(ipaddress.ip_address("10.0.0.1")),
        x509.DirectoryName(NAME), x509.RegisteredID(x509.ObjectIdentifier("1.2.3.4")),
        x509.OtherName(x509.ObjectIdentifier("1.2.3"), b"\x05\x00"), x509.DNSName("Cart.mesh.local"),
        x509.UniformResourceIdentifier(PEER), x509.DNSName("*.shop.mesh.local"),
        x509.UniformResourceIdentifier("https://example.org/second"),
    ]),
    x509.ExtendedKeyUsage([x509.OID_SERVER_AUTH, x509.OID_CLIENT_AUTH]),
    x509.BasicConstraints(ca=False, path_length=None),
    x509.KeyUsage(True, False, False, False, False, False, False, False, False),
    x509.SubjectKeyIdentifier(b"1234"),
)  # fmt: skip


def test_a_leaf_with_everything() -> None:
    found = certificate_parse(der_of(FULL), b"cart.MESH.local", PEER.encode())
    assert found == {
        "dns_count": 2, "uri_count": 2, "dns": b"Cart.mesh.local", "uri": PEER.encode(),
        "not_before_s": int(START.timestamp()), "not_after_s": int(END.timestamp()),
        "extended_key_usage": USAGE_SERVER_AUTH | USAGE_CLIENT_AUTH, "key_usage": 0x80, "is_authority": False,
        "has_dns": True, "has_uri": True,
    }  # fmt: skip


@pytest.mark.parametrize(("dns_name", "covered"), [
    (b"cart.mesh.local", True), (b"a.shop.mesh.local", True), (b"mesh.local", False), (b"shop.mesh.local", False),
    (b"a.b.shop.mesh.local", False), (b"common.example", False), (b"10.0.0.1", False), (b"", False),
])  # fmt: skip
def test_which_dns_names_are_covered(dns_name: bytes, covered: bool) -> None:
    assert certificate_parse(der_of(FULL), dns=dns_name)["has_dns"] == covered


@pytest.mark.parametrize(("name", "covered"), [
    (PEER.encode(), True), (b"https://example.org/second", True), (PEER.upper().encode(), False), (b"", False),
    (PEER.encode()[:-1], False), (PEER.encode() + b"/", False), (b"Cart.mesh.local", False),
])  # fmt: skip
def test_which_uri_names_are_covered(name: bytes, covered: bool) -> None:
    assert certificate_parse(der_of(FULL), uri=name)["has_uri"] == covered


def test_without_extensions() -> None:
    for data in (der_of(real()), hand_made(version=b""), hand_made(version=b"\xa0\x03\x02\x01\x01")):
        found = certificate_parse(data, b"", b"")
        assert (found["dns"], found["uri"], found["dns_count"], found["uri_count"]) == (None, None, 0, 0)
        assert (found["extended_key_usage"], found["key_usage"], found["is_authority"]) == (0, None, False)
        assert (found["has_dns"], found["has_uri"]) == (False, False)


def test_an_authority() -> None:
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    found = certificate_parse(der_of(real(x509.BasicConstraints(ca=True, path_length=0), usage)))
    assert found["is_authority"]
    assert found["key_usage"] == 0x06


@pytest.mark.parametrize(("extensions", "field", "expected"), [
    ([usages(ANY_USAGE)], "extended_key_usage", USAGE_ANY),
    ([usages(EMAIL_PROTECTION)], "extended_key_usage", USAGE_OTHER),
    ([usages(SERVER_AUTH + b"\x01")], "extended_key_usage", USAGE_OTHER),
    ([usages(b"\x2a", CLIENT_AUTH)], "extended_key_usage", USAGE_OTHER | USAGE_CLIENT_AUTH),
    ([extension(BASIC_CONSTRAINTS, der(0x30))], "is_authority", False),
    ([extension(BASIC_CONSTRAINTS, der(0x30, der(1, b"\0")))], "is_authority", False),
    ([extension(BASIC_CONSTRAINTS, der(0x30, der(1, b"\xff"), der(2, b"\x05")))], "is_authority", True),
    ([extension(BASIC_CONSTRAINTS, der(0x30, der(1, b"\xff")), flag=der(1, b"\xff"))], "is_authority", True),
    ([extension(BASIC_CONSTRAINTS, der(0x30, der(1, b"\xff")), flag=der(1, b"\0"))], "is_authority", True),
    ([extension(KEY_USAGE, der(3, b"\x07\xff\x80"))], "key_usage", 0xFF),
    ([extension(b"\x2a\x03", b"anything"), extension(b"\x55\x1e\x11"), extension(b"\x55\x1d\x11\0")], "dns_count", 0),
    ([alt_names(dns(b"x" * 200), *[dns(b"y")] * 300)], "dns_count", 301),
    ([alt_names(der(0x81, b"\0\xff"))], "uri_count", 0),
    ([alt_names(uri(b"x" * 70000))], "uri", b"x" * 70000),
    ([extension(bytes([one])) for one in range(50, 50 + CERTIFICATE_EXTENSION_LIMIT)], "uri_count", 0),
], ids=itertools.count())  # fmt: skip
def test_extensions(extensions: list[bytes], field: str, expected: object) -> None:
    assert certificate_parse(hand_made(*extensions))[field] == expected


ONE = alt_names(dns(b"a"))
REFUSED = [
    (b"", "malformed"),
    (b"\x30", "malformed"),
    (b"\x30\x00", "malformed"),
    (b"\x30\x80" + hand_made() + b"\0\0", "malformed"),                   # an indefinite length
    (hand_made() + b"\0", "malformed"),
    (b"\x30\x81" + hand_made()[1:], "malformed"),                         # a long length that would be short
    (b"\x30\x83\0" + hand_made(alt_names(uri(b"x" * 300)))[2:], "malformed"),
    (b"\x30\x84\0" + hand_made(alt_names(uri(b"x" * 70000)))[2:], "malformed"),
    (b"\x31" + hand_made()[1:], "malformed"),
    (b"\x3f" + hand_made()[1:], "malformed"),
    (hand_made(version=b"\xa0\x03\x02\x01\x00"), "malformed"),            # the default, written out
    (hand_made(version=b"\xa0\x03\x02\x01\x03"), "malformed"),
    (hand_made(version=b"\xa0\x04\x02\x02\x00\x02"), "malformed"),
    (hand_made(version=b"\xa0\x05\x02\x01\x02\x05\x00"), "malformed"),
    (hand_made(ONE, version=b""), "malformed"),                           # extensions before version 3
    (hand_made(ONE, version=b"\xa0\x03\x02\x01\x01"), "malformed"),
    (hand_made(version=b"", identifiers=der(0x81, b"\0")), "malformed"),
    (hand_made(tail=der(0xA3)), "malformed"),
    (hand_made(tail=der(0xA3, der(0x30))), "malformed"),
    (hand_made(tail=der(0xA3, der(0x30, ONE), b"\x05\x00")), "malformed"),
    (hand_made(tail=der(0xA3, der(0x30, ONE)) + b"\x05\x00"), "malformed"),
    (hand_made(tail=der(0xA4, der(0x30, ONE))), "malformed"),
    (hand_made(der(0x30, der(6, b"\x55\x1d\x11"))), "malformed"),
    (hand_made(der(0x30, der(6, b"\x55\x1d\x11"), der(4, der(0x30, dns(b"a"))), b"\x05\x00")), "malformed"),
    (hand_made(extension(b"\x30", flag=der(1, b"\x01"))), "malformed"),
    (hand_made(extension(b"\x30", flag=der(1, b"\xff\xff"))), "malformed"),
    (hand_made(ONE, ONE), "duplicate_extension"),
    (hand_made(extension(b"\x2a\x03"), ONE, extension(b"\x2a\x03")), "duplicate_extension"),
    (hand_made(*[extension(bytes([one])) for one in range(50, 51 + CERTIFICATE_EXTENSION_LIMIT)]), "oversized"),
    # Names.
    (hand_made(alt_names()), "malformed"),
    (hand_made(extension(SUBJECT_ALT_NAME)), "malformed"),
    (hand_made(extension(SUBJECT_ALT_NAME, der(0x30, dns(b"a")), b"\0")), "malformed"),
    (hand_made(alt_names(dns(b"a"), b"\x82")), "malformed"),
    (hand_made(alt_names(dns(b"a"), b"\x82\x02a")), "malformed"),
    (hand_made(alt_names(der(0xA2, b"a"))), "malformed"),
    (hand_made(alt_names(der(0x89, b"a"))), "malformed"),
    (hand_made(alt_names(der(0x16, b"a"))), "malformed"),
    *((hand_made(alt_names(uri(b"u:x"), make(name))), "bad_name") for make in (dns, uri) for name in (
        b"", b"a\0b", b"a ", b" ", b"\xc3\xa9", b"a\n", b"\x7f")),
    # Usages.
    (hand_made(usages()), "malformed"),
    (hand_made(usages(b"")), "malformed"),
    (hand_made(extension(b"\x25", der(0x30, der(5)))), "malformed"),
    (hand_made(extension(b"\x25", der(6, SERVER_AUTH))), "malformed"),
    (hand_made(extension(BASIC_CONSTRAINTS, der(0x30, der(1, b"\x01")))), "malformed"),
    (hand_made(extension(BASIC_CONSTRAINTS, der(0x30, der(1, b"")))), "malformed"),
    (hand_made(extension(BASIC_CONSTRAINTS, der(0x30, der(2, b"\0"), der(2, b"\0")))), "malformed"),
    (hand_made(extension(BASIC_CONSTRAINTS, der(0x30, der(1, b"\xff")), b"\0")), "malformed"),
    (hand_made(extension(KEY_USAGE, der(3, b""))), "malformed"),
    (hand_made(extension(KEY_USAGE, der(3, b"\0"))), "malformed"),
    (hand_made(extension(KEY_USAGE, der(3, b"\x08\x80"))), "malformed"),
    (hand_made(extension(KEY_USAGE, der(3, b"\x07\xc0"))), "malformed"),
    (hand_made(extension(KEY_USAGE, der(4, b"\x07\x80"))), "malformed"),
    # Validity.
    (hand_made(validity=der(0x30)), "bad_time"),
    (hand_made(validity=der(0x30, UTC)), "bad_time"),
    (hand_made(validity=der(0x30, UTC, UTC, UTC)), "bad_time"),
    *((hand_made(validity=der(0x30, der(tag, text), GENERALIZED)), "bad_time") for tag, text in (
        (0x17, b""), (0x17, b"Z"), (0x17, b"2402292359Z"), (0x17, b"240229235958+0000"), (0x17, b"24022923595 Z"),
        (0x17, b"230229000000Z"), (0x17, b"240001000000Z"), (0x17, b"241301000000Z"), (0x17, b"240100000000Z"),
        (0x17, b"240431000000Z"), (0x17, b"240101240000Z"), (0x17, b"240101006000Z"), (0x17, b"240101000060Z"),
        (0x17, b"2401010000000"), (0x17, b"20240101000000Z"), (0x18, b"240101000000Z"), (0x18, b"20240101000000.5Z"),
        (0x18, b"19000229000000Z"), (0x16, b"240101000000Z"))),
]  # fmt: skip


@pytest.mark.parametrize(("data", "fault"), REFUSED, ids=itertools.count())
def test_refused(data: bytes, fault: str) -> None:
    assert certificate_parse(data) == fault


def test_unique_identifiers_are_passed_over() -> None:
    found = certificate_parse(hand_made(ONE, identifiers=der(0x81, b"\0a") + der(0x82, b"\0b")))
    assert found["dns"] == b"a"


def test_every_cut_and_every_longer_length() -> None:
    data = der_of(FULL)
    assert {certificate_parse(data[:cut]) for cut in range(len(data))} == {"malformed"}
    assert {certificate_parse(data + bytes(more)) for more in range(1, 4)} == {"malformed"}


@settings(deadline=None, max_examples=300)
@given(st.datetimes(datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31)))
def test_any_time(moment: datetime.datetime) -> None:
    expected = calendar.timegm(moment.timetuple())
    full = f"{moment.year:04}{moment:%m%d%H%M%S}Z".encode()
    found = certificate_parse(hand_made(validity=der(0x30, der(0x18, full), GENERALIZED)))
    assert found["not_before_s"] == expected
    if 1950 <= moment.year < 2050:
        found = certificate_parse(hand_made(validity=der(0x30, UTC, der(0x17, full[2:]))))
        assert found["not_after_s"] == expected


@pytest.mark.parametrize(("pattern", "name", "expected"), [
    ("example.org", "example.org", True),
    ("EXAMPLE.org", "example.ORG", True),
    ("example.org", "example.org.", False),
    ("example.org", "xexample.org", False),
    ("example.org", "example.or", False),
    ("*.example.org", "a.example.org", True),
    ("*.Example.org", "xn--p1ai.eXample.org", True),
    ("*.example.org", "example.org", False),
    ("*.example.org", ".example.org", False),
    ("*.example.org", "a.b.example.org", False),
    ("*.example.org", "a.example.com", False),
    ("*.org", "example.org", False),
    ("*", "example", False),
    ("*.", "a.", False),
    ("*.*.org", "a.b.org", False),
    ("a*.example.org", "ab.example.org", False),
    ("*a.example.org", "ba.example.org", False),
    ("a.*.org", "a.b.org", False),
    ("**.example.org", "a.example.org", False),
    ("a[b.c", "a{b.c", False),          # apart by the bit that parts upper from lower case
    ("", "a", False),
    ("*.a.b", "", False),
])  # fmt: skip
def test_dns_name_matching(pattern: str, name: str, expected: bool) -> None:
    assert dns_name_matches(pattern.encode(), name.encode()) == expected


def names_by_the_library(data: bytes) -> tuple[list[str], list[str]] | None:
    """What `cryptography` reads, or None where it does not read at all."""
    with contextlib.suppress(ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, x509.InvalidVersion):
        certificate = x509.load_der_x509_certificate(data)
        try:
            names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except x509.ExtensionNotFound:
            return [], []
        return (names.get_values_for_type(x509.DNSName), names.get_values_for_type(x509.UniformResourceIdentifier))
    return None


@pytest.mark.filterwarnings("ignore")  # the other library warns of what it reads nevertheless
def test_mutations_against_another_library() -> None:
    original, noise = (SEEDS / "full").read_bytes(), random.Random(1)
    read_by_both = 0
    for _ in range(4000):
        data = bytearray(original)
        for _ in range(noise.randrange(1, 3)):
            data[noise.randrange(len(data))] ^= 1 << noise.randrange(8)
        found, other = certificate_parse(bytes(data)), names_by_the_library(bytes(data))
        if isinstance(found, str) or other is None:
            continue
        read_by_both += 1
        assert (found["dns_count"], found["uri_count"]) == (len(other[0]), len(other[1]))
        assert (found["dns"] or b"").decode() == next(iter(other[0]), "")
        assert (found["uri"] or b"").decode() == next(iter(other[1]), "")
    assert read_by_both > 1000


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=80), st.integers(0, 400))
def test_any_bytes_within_a_certificate(noise: bytes, at: int) -> None:
    data = hand_made(alt_names(dns(b"a.example"), uri(b"spiffe://a/b")), usages(SERVER_AUTH))
    changed = data[:at] + noise + data[at + len(noise) :]
    found = certificate_parse(changed)
    assert isinstance(found, str) or found["dns_count"] + found["uri_count"] <= len(data)

"""Makes certificates: real ones, and DER put together by hand, whose signatures are worth nothing."""

from __future__ import annotations

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

KEY = ec.generate_private_key(ec.SECP256R1())
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "common.example")])
START = datetime.datetime(2024, 2, 29, 23, 59, 58, tzinfo=datetime.timezone.utc)  # noqa: UP017
END = datetime.datetime(2051, 12, 31, 0, 0, 1, tzinfo=datetime.timezone.utc)  # noqa: UP017

SUBJECT_ALT_NAME, BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_KEY_USAGE = b"\x11", b"\x13", b"\x0f", b"\x25"
SERVER_AUTH = bytes.fromhex("2b06010505070301")
CLIENT_AUTH = bytes.fromhex("2b06010505070302")
EMAIL_PROTECTION = bytes.fromhex("2b06010505070304")
ANY_USAGE = bytes.fromhex("551d2500")


def real(
    *extensions: x509.ExtensionType, start: datetime.datetime = START, end: datetime.datetime = END
) -> x509.Certificate:
    """A self-signed certificate with these extensions."""
    builder = x509.CertificateBuilder().subject_name(NAME).issuer_name(NAME).public_key(KEY.public_key())
    builder = builder.serial_number(0x1234).not_valid_before(start).not_valid_after(end)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
    return builder.sign(KEY, hashes.SHA256())


def der_of(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def der(tag: int, *parts: bytes) -> bytes:
    """One element."""
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def extension(kind: bytes, *value: bytes, flag: bytes = b"") -> bytes:
    """An extension 2.5.29.n, or of the whole OID given."""
    oid = b"\x55\x1d" + kind if len(kind) == 1 else kind
    return der(0x30, der(6, oid), flag, der(4, *value))


def alt_names(*names: bytes) -> bytes:
    return extension(SUBJECT_ALT_NAME, der(0x30, *names))


def dns(name: bytes) -> bytes:
    return der(0x82, name)


def uri(name: bytes) -> bytes:
    return der(0x86, name)


def usages(*oids: bytes) -> bytes:
    return extension(EXTENDED_KEY_USAGE, der(0x30, *(der(6, oid) for oid in oids)))


UTC = der(0x17, b"240229235958Z")
GENERALIZED = der(0x18, b"20511231000001Z")


def hand_made(
    *extensions: bytes,
    version: bytes = b"\xa0\x03\x02\x01\x02",
    validity: bytes = der(0x30, UTC, GENERALIZED),
    identifiers: bytes = b"",
    tail: bytes | None = None,
) -> bytes:
    """A certificate that nobody signed; `tail` stands in place of the extensions' element."""
    if tail is None:
        tail = der(0xA3, der(0x30, *extensions)) if extensions else b""
    blank = der(0x30)
    signed = der(0x30, version, der(2, b"\x05"), blank, blank, validity, blank, blank, identifiers, tail)
    return der(0x30, signed, der(0x30), der(3, b"\0"))

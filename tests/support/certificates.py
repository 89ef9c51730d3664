"""Certificates for tests, made when asked for: roots, intermediates and leaves with any names, usages and dates.

    root = Authority("root")
    leaf = root.issue("app", uris=["spiffe://mesh.local/ns/a/sa/app"], dns_names=["app.mesh.local"])
    files = leaf.write(folder)          # files.certificate, files.key: PEM, the chain without the root
    trusted_ca = root.write(folder)     # the root's certificate, PEM
"""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
DAY = datetime.timedelta(days=1)
CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH
BOTH = (CLIENT, SERVER)


class Files(NamedTuple):
    """Where a certificate, with the intermediates of its chain, and its key were written."""

    certificate: str
    key: str


class Leaf(NamedTuple):
    """A certificate with its key. `chain`: the intermediates that a peer needs, the issuer first."""

    name: str
    certificate: x509.Certificate
    key: Key
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def certificate_pem(self) -> bytes:
        """The certificate and the intermediates after it."""
        return b"".join(pem(each) for each in (self.certificate, *self.chain))

    @property
    def key_pem(self) -> bytes:
        """The key, PKCS #8, not encrypted."""
        return key_pem(self.key)

    def write(self, folder: Path, name: str | None = None) -> Files:
        """Write NAME.pem and NAME.key (mode 0600), each by renaming, so that a reader never sees half of one."""
        certificate, key = folder / f"{name or self.name}.pem", folder / f"{name or self.name}.key"
        _replace(key, self.key_pem, 0o600)
        _replace(certificate, self.certificate_pem, 0o644)
        return Files(str(certificate), str(key))


class Authority:
    """A certificate authority: a root, or an intermediate when it has an `issuer`."""

    def __init__(
        self,
        name: str = "root",
        issuer: Authority | None = None,
        *,
        path_length: int | None = None,
        days: tuple[float, float] = (-1, 365),
        key: Key | None = None,
    ) -> None:
        self.name = name
        self.issuer = issuer
        self.key = new_key() if key is None else key
        extensions: list[tuple[x509.ExtensionType, bool]] = [
            (x509.BasicConstraints(ca=True, path_length=path_length), True),
            (_key_usage(key_cert_sign=True, crl_sign=True), True),
            (x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), False),
        ]
        self.certificate = _sign(name, self.key, issuer, extensions, days)

    @property
    def certificate_pem(self) -> bytes:
        """Its own certificate."""
        return pem(self.certificate)

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """What stands between a leaf of it and the root: itself and its issuers, without the root."""
        return () if self.issuer is None else (self.certificate, *self.issuer.chain)

    def issue(
        self,
        name: str = "leaf",
        *,
        uris: Sequence[str] = (),
        dns_names: Sequence[str] = (),
        addresses: Sequence[str] = (),
        usages: Sequence[ObjectIdentifier] | None = BOTH,
        days: tuple[float, float] = (-1, 30),
        key: Key | None = None,
        ca: bool = False,
        more: Sequence[tuple[x509.ExtensionType, bool]] = (),
    ) -> Leaf:
        """A leaf. `days`: its validity, from now; `usages`: extended ones, None for no such extension."""
        key = new_key() if key is None else key
        extensions = _leaf_extensions(uris, dns_names, addresses, usages, ca) + list(more)
        return Leaf(name, _sign(name, key, self, extensions, days), key, self.chain)

    def write(self, folder: Path, name: str | None = None) -> str:
        """Write its certificate to NAME.pem."""
        path = folder / f"{name or self.name}.pem"
        _replace(path, self.certificate_pem, 0o644)
        return str(path)


def self_signed(
    name: str = "self-signed",
    *,
    uris: Sequence[str] = (),
    dns_names: Sequence[str] = (),
    usages: Sequence[ObjectIdentifier] | None = BOTH,
    days: tuple[float, float] = (-1, 30),
) -> Leaf:
    """A leaf that nobody but itself vouches for."""
    key = new_key()
    extensions = _leaf_extensions(uris, dns_names, (), usages, ca=False)
    return Leaf(name, _sign(name, key, None, extensions, days), key)


def new_key() -> ec.EllipticCurvePrivateKey:
    """A P-256 key: made in microseconds."""
    return ec.generate_private_key(ec.SECP256R1())


def pem(certificate: x509.Certificate) -> bytes:
    """A certificate in PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def key_pem(key: Key, password: bytes | None = None) -> bytes:
    """A key in PEM (PKCS #8), encrypted when there is a password."""
    encryption = serialization.NoEncryption() if password is None else serialization.BestAvailableEncryption(password)
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def _leaf_extensions(
    uris: Sequence[str],
    dns_names: Sequence[str],
    addresses: Sequence[str],
    usages: Sequence[ObjectIdentifier] | None,
    ca: bool,
) -> list[tuple[x509.ExtensionType, bool]]:
    names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(each) for each in uris]
    names += [x509.DNSName(each) for each in dns_names]
    names += [x509.IPAddress(ipaddress.ip_address(each)) for each in addresses]
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=ca, path_length=None), True),
        (_key_usage(digital_signature=True, key_cert_sign=ca), True),
    ]
    if names:
        extensions.append((x509.SubjectAlternativeName(names), False))
    if usages is not None:
        extensions.append((x509.ExtendedKeyUsage(usages), False))
    return extensions


def _sign(
    name: str,
    key: Key,
    issuer: Authority | None,
    extensions: Sequence[tuple[x509.ExtensionType, bool]],
    days: tuple[float, float],
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    issuer_name = _name(name) if issuer is None else issuer.certificate.subject
    signing = key if issuer is None else issuer.key
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(issuer_name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + days[0] * DAY)
        .not_valid_after(now + days[1] * DAY)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), False)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(signing, hashes.SHA256())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _key_usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _replace(path: Path, data: bytes, mode: int) -> None:
    beside = path.with_name(path.name + ".new")
    beside.touch(mode)
    beside.write_bytes(data)
    beside.chmod(mode)
    beside.rename(path)

"""The certificates of a measurement: one authority, and one leaf that both ends of every connection present."""

import datetime
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NAME = "b.mesh.local"  # what whoever connects expects the server to be called
_IDENTITY = "spiffe://mesh.local/ns/bench/sa/b"
_LIFE = datetime.timedelta(days=1)
_SKEW = datetime.timedelta(hours=1)


@dataclass(frozen=True)
class Credentials:
    """Where the PEM files are. ``bundle`` is the leaf with its key behind it, which HAProxy wants in one file."""

    authority: Path
    certificate: Path
    key: Path
    bundle: Path


def issue(directory: Path) -> Credentials:
    """Make an authority and a leaf, both ECDSA P-256, in ``directory``; return where the files are.

    The leaf is good for clients and servers and carries a DNS name and a SPIFFE identity.
    """
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "benchmark authority")])
    authority = (
        _builder(issuer, issuer, authority_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .sign(authority_key, hashes.SHA256()))
    leaf = (
        _builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)]), issuer, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(
            [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([
            x509.DNSName(NAME), x509.UniformResourceIdentifier(_IDENTITY)]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()),
                       critical=False)
        .sign(authority_key, hashes.SHA256()))
    leaf_pem = leaf.public_bytes(Encoding.PEM)
    key_pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Credentials(
        _write(directory / "ca.pem", authority.public_bytes(Encoding.PEM)),
        _write(directory / "leaf.pem", leaf_pem),
        _write(directory / "leaf.key", key_pem),
        _write(directory / "leaf-with-key.pem", leaf_pem + key_pem))


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    begin = datetime.datetime.now(datetime.UTC) - _SKEW
    return (
        x509.CertificateBuilder()
        .subject_name(subject).issuer_name(issuer).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin).not_valid_after(begin + _SKEW + _LIFE)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False))


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates, key_cert_sign=signs_certificates, crl_sign=signs_certificates,
        content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False)


def _write(path: Path, data: bytes) -> Path:
    path.touch(mode=0o600)
    path.write_bytes(data)
    return path

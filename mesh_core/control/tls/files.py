"""From a path to certificates or a key, or to what is wrong with them. No message carries what stands in a file."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from mesh_core.config.escape import escaped

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey

CHAIN_LIMIT = 16
"""Certificates in a chain: what follows is sent in every full handshake."""

BUNDLE_LIMIT = 4096
FILE_LIMIT_BYTES = 16 * 1024 * 1024
RSA_BITS = 2048
"""The least that peers take, as OpenSSL's security level 2."""

SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Alpine, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",
)

Signature = tuple[int, int, int, int]
"""Device, inode, size and time of change of a file: another one means that its content may be another."""

_T = TypeVar("_T")


class FileFault(Exception):
    """A file that cannot be used. `hint` says what to do."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class FileContent(NamedTuple):
    """What stood in a file when it was read."""

    data: bytes
    signature: Signature
    mode: int


class Certificates(NamedTuple):
    """The certificates of a file, in its order, and a digest of them."""

    path: str
    certificates: tuple[x509.Certificate, ...]
    digest: str


class KeyFile(NamedTuple):
    """A private key, and a digest of it."""

    path: str
    key: PrivateKey
    digest: str
    readable_by_others: bool


def shown(path: str) -> str:
    """A path as messages have it."""
    return f'"{escaped(path)}"'


def signature_of(status: os.stat_result) -> Signature:
    """What tells one state of a file from another."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def read(path: str) -> FileContent:
    """What stands in a regular file. Raises FileFault."""
    try:
        # Opening a FIFO must not wait for its writer.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise FileFault(f"not a regular file: {shown(path)}")
            data = file.read(FILE_LIMIT_BYTES + 1)
    except OSError as error:
        hint = "the user of the process must be able to read it" if error.errno == errno.EACCES else None
        raise FileFault(f"cannot read {shown(path)}: {error.strerror}", hint) from None
    if len(data) > FILE_LIMIT_BYTES:
        raise FileFault(f"{shown(path)} is larger than {FILE_LIMIT_BYTES} bytes")
    return FileContent(data, signature_of(status), status.st_mode)


def system_bundle() -> str:
    """Where the operating system keeps the CAs that it trusts. Raises FileFault."""
    for path in filter(None, (os.environ.get("SSL_CERT_FILE"), *SYSTEM_BUNDLES)):
        if os.path.isfile(path):  # noqa: PTH113
            return path
    raise FileFault("no CAs of the operating system are found", "install ca-certificates, or name a file")


def parse_chain(path: str, content: FileContent) -> Certificates:
    """A certificate and the intermediates behind it. Raises FileFault."""
    found = _certificates(path, content)
    if len(found.certificates) > CHAIN_LIMIT:
        raise FileFault(f"{shown(path)} has more than {CHAIN_LIMIT} certificates", "is it a bundle of CAs?")
    for place, each in enumerate(found.certificates[1:], 1):
        if all(before.issuer != each.subject for before in found.certificates[:place]):
            message = f"certificate {place + 1} of {shown(path)} has issued none of those before it"
            raise FileFault(message, "put each certificate behind the one that it has issued, the leaf first")
    return found


def parse_bundle(path: str, content: FileContent, *, own: bool) -> Certificates:
    """The certificates of CAs; `own`: those of the user, who is told about any that is none. Raises FileFault."""
    found = _certificates(path, content)
    if len(found.certificates) > BUNDLE_LIMIT:
        raise FileFault(f"{shown(path)} has more than {BUNDLE_LIMIT} certificates")
    for place, each in enumerate(found.certificates if own else (), 1):
        # It would be trusted for itself, whatever it may do.
        if not _is_ca(each):
            message = f"certificate {place} of {shown(path)} is not a CA's"
            raise FileFault(message, "trusted_ca has the CAs that issue certificates, not the certificates")
    return found


def parse_key(path: str, content: FileContent) -> KeyFile:
    """A private key. Raises FileFault."""
    try:
        key = load_pem_private_key(content.data, None)
    except TypeError:
        raise FileFault(
            f"the key in {shown(path)} is encrypted, and nobody is there to be asked for the password",
            "write it without one (openssl pkey -in ENCRYPTED -out KEY) and protect the file",
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        hint = "it begins with -----BEGIN PRIVATE KEY-----, -----BEGIN EC PRIVATE KEY----- or the like"
        raise FileFault(f"no private key in PEM in {shown(path)}", hint) from None
    if not isinstance(key, PrivateKey):
        raise FileFault(f"the key in {shown(path)} is of a kind that TLS does not use", "use ECDSA P-256")
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size < RSA_BITS:
        hint = f"RSA needs {RSA_BITS} bits, ECDSA P-256 is faster and stronger"
        raise FileFault(f"the key in {shown(path)} has only {key.key_size} bits", hint)
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return KeyFile(path, key, hashlib.sha256(public).hexdigest(), bool(content.mode & stat.S_IROTH))


def check_pair(chain: Certificates, key: KeyFile) -> None:
    """Raise FileFault unless the key is that of the first certificate."""
    public = key.key.public_key()
    place = next((i for i, each in enumerate(chain.certificates) if _quietly(each.public_key) == public), None)
    if place is None:
        raise FileFault(f"the key does not belong to the certificate in {shown(chain.path)}")
    if place:
        message = f"the key belongs to certificate {place + 1} of {shown(chain.path)}"
        raise FileFault(message, "put that certificate first")


def _certificates(path: str, content: FileContent) -> Certificates:
    try:
        found = tuple(x509.load_pem_x509_certificates(content.data))
        # Parts of a certificate are read when they are asked for.
        for each in found:
            _ = each.subject, each.issuer, each.extensions, each.not_valid_after_utc
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        hint = "it begins with -----BEGIN CERTIFICATE-----; DER becomes PEM by openssl x509 -inform der"
        raise FileFault(f"no certificate in PEM in {shown(path)}, or one that cannot be read", hint) from None
    encoded = b"".join(each.public_bytes(Encoding.DER) for each in found)
    return Certificates(path, found, hashlib.sha256(encoded).hexdigest())


def _is_ca(certificate: x509.Certificate) -> bool:
    if certificate.version is x509.Version.v1:
        return certificate.subject == certificate.issuer
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _quietly(ask: Callable[[], _T]) -> _T | None:
    """What `ask` gives; None for a key that cannot be read."""
    try:
        return ask()
    except (ValueError, UnsupportedAlgorithm):
        return None

"""When certificates expire, and what is said about it."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator

from cryptography import x509

from mesh_core.control.tls.contexts import TlsUser
from mesh_core.control.tls.files import Certificates

WARN_BEFORE = datetime.timedelta(days=7)
"""A warning comes this long before the end, or a tenth of the certificate's life before it if that is later."""


def now() -> datetime.datetime:
    """The time, with its zone."""
    return datetime.datetime.now(datetime.UTC)


def files_of(users: Iterable[TlsUser]) -> Iterator[tuple[TlsUser, Certificates]]:
    """Every file of certificates that is in use, and who uses it."""
    for user in users:
        if user.trusted_ca is not None:
            yield user, user.trusted_ca
        for chain in user.chains:
            yield user, chain


def days_left(certificate: x509.Certificate, at: datetime.datetime) -> int:
    """Whole days until it expires; 0 when it has."""
    return max(0, (certificate.not_valid_after_utc - at).days)


def days_until_first_expires(users: Iterable[TlsUser], at: datetime.datetime) -> int | None:
    """Whole days until the first certificate in use expires; None without certificates."""
    return min((days_left(each, at) for _, file in files_of(users) for each in file.certificates), default=None)


def complaint(certificate: x509.Certificate, at: datetime.datetime) -> str | None:
    """What is wrong with its dates at this time, or soon will be."""
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if at > end:
        return "certificate has expired"
    if at < start:
        return "certificate is not valid yet"
    if end - at < min(WARN_BEFORE, (end - start) / 10):
        return "certificate expires soon"
    return None

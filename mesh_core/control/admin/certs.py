"""What /certs tells: the certificates in use, by listener and cluster, in Envoy's shape. Keys are not in it."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

from cryptography import x509

from mesh_core.control.tls import expiry
from mesh_core.control.tls.contexts import TlsUser
from mesh_core.control.tls.files import Certificates


def certificates(users: Iterable[TlsUser], at: datetime.datetime) -> dict[str, Any]:
    """The answer of /certs at that time."""
    return {
        "certificates": [
            {
                user.kind: user.name,
                "ca_cert": [] if user.trusted_ca is None else _file(user.trusted_ca, at),
                "cert_chain": [each for chain in user.chains for each in _file(chain, at)],
            }
            for user in users
        ]
    }


def _file(file: Certificates, at: datetime.datetime) -> list[dict[str, Any]]:
    return [
        {
            "path": file.path,
            "subject": each.subject.rfc4514_string(),
            "serial_number": f"{each.serial_number:x}",
            "subject_alt_names": _names(each),
            # Envoy writes 64-bit numbers as texts, as JSON in Protobuf has them.
            "days_until_expiration": str(expiry.days_left(each, at)),
            "valid_from": _time(each.not_valid_before_utc),
            "expiration_time": _time(each.not_valid_after_utc),
        }
        for each in file.certificates
    ]


def _names(certificate: x509.Certificate) -> list[dict[str, str]]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return (
        [{"uri": each} for each in names.get_values_for_type(x509.UniformResourceIdentifier)]
        + [{"dns": each} for each in names.get_values_for_type(x509.DNSName)]
        + [{"ip_address": str(each)} for each in names.get_values_for_type(x509.IPAddress)]
    )


def _time(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

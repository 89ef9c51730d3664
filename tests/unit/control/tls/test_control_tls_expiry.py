"""When a certificate's end is near, and what /certs says."""

from __future__ import annotations

import datetime
from pathlib import Path

import orjson
import pytest

from mesh_core.config import load_builtins
from mesh_core.control.admin.certs import certificates
from mesh_core.control.tls import expiry
from mesh_core.control.tls.contexts import Prepared, TlsContexts
from tests.support.certificates import DAY, Authority

ROOT = Authority("root", days=(-1, 100))


def prepared(folder: Path, days: tuple[float, float] = (-1, 30)) -> Prepared:
    leaf = ROOT.issue("leaf", uris=["spiffe://a/b"], dns_names=["a.b"], addresses=["10.0.0.1"], days=days)
    files = leaf.write(folder)
    tls = {"certificate": files.certificate, "key": files.key, "trusted_ca": ROOT.write(folder)}
    config = load_builtins(
        {
            "listeners": [{"name": "in", "address": "127.0.0.1:0", "cluster": "app", "tls": tls}],
            "clusters": [{"name": "app", "endpoints": [], "tls": {**tls, "server_name": "a.b"}}],
        }
    )
    return TlsContexts().prepare(config, "f")


@pytest.mark.parametrize(
    ("life", "left", "said"),
    [
        (90, 8, None),
        (90, 6.9, "certificate expires soon"),
        (90, -0.1, "certificate has expired"),
        (10, 1.1, None),
        (10, 0.9, "certificate expires soon"),
        (1 / 24, 0.11 / 24, None),
        (1 / 24, 0.09 / 24, "certificate expires soon"),
        (30, 31, "certificate is not valid yet"),
    ],
)
def test_complaints(life: float, left: float, said: str | None) -> None:
    certificate = ROOT.issue(days=(0, life)).certificate
    assert expiry.complaint(certificate, certificate.not_valid_after_utc - left * DAY) == said


def test_days_until_the_first_expires(tmp_path: Path) -> None:
    users = prepared(tmp_path).users
    now = expiry.now()
    assert expiry.days_until_first_expires(users, now) == 29
    assert expiry.days_until_first_expires(users, now + 29.5 * DAY) == 0
    assert expiry.days_until_first_expires(users, now + 300 * DAY) == 0
    assert expiry.days_until_first_expires((), now) is None


def test_the_certificates_page(tmp_path: Path) -> None:
    kept = prepared(tmp_path)
    now = expiry.now()
    answer = certificates(kept.users, now)
    assert [next(iter(each)) for each in answer["certificates"]] == ["listener", "cluster"]
    listener, cluster = answer["certificates"]
    assert (listener["listener"], cluster["cluster"]) == ("in", "app")
    assert listener["cert_chain"] == cluster["cert_chain"]
    (shown,) = listener["cert_chain"]
    leaf = kept.users[0].chains[0].certificates[0]
    assert shown == {
        "path": str(tmp_path / "leaf.pem"),
        "subject": "CN=leaf",
        "serial_number": f"{leaf.serial_number:x}",
        "subject_alt_names": [{"uri": "spiffe://a/b"}, {"dns": "a.b"}, {"ip_address": "10.0.0.1"}],
        "days_until_expiration": "29",
        "valid_from": leaf.not_valid_before_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "expiration_time": leaf.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    (authority,) = listener["ca_cert"]
    assert authority["subject"] == "CN=root"
    assert authority["subject_alt_names"] == []
    assert datetime.datetime.fromisoformat(authority["expiration_time"]) == ROOT.certificate.not_valid_after_utc
    assert b"PRIVATE" not in orjson.dumps(answer)

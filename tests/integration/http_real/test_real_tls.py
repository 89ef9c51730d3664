"""TLS towards clients and towards servers, each verified by the other side's own library."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

import pytest
import websockets.sync.client

from tests.support.real_http.clients import CLIENTS, Request, client_tls, exchange
from tests.support.real_http.content import pattern, sha256
from tests.support.real_http.servers import SERVERS
from tests.support.waiting import LIMIT_S

BODY = pattern(1_000_000)


def requests(url: str, trusted_ca: str | None) -> list[Request]:
    """A body in each direction, and one request more."""
    return [
        Request("POST", url + "/describe", {}, BODY, trusted_ca=trusted_ca),
        Request("GET", f"{url}/pattern?size={len(BODY)}&chunked=1", trusted_ca=trusted_ca),
        Request("GET", url + "/describe", trusted_ca=trusted_ca),
    ]


def check(client: str, url: str, trusted_ca: str | None, scheme: str) -> None:
    upload, download, last = exchange(client, *requests(url, trusted_ca))
    assert upload.json()["sha256"] == sha256(BODY)
    assert (download.status, sha256(download.body)) == (200, sha256(BODY))
    assert last.json()["headers"]["x-forwarded-proto"] == scheme


def terminated(certificates: Any) -> dict[str, Any]:
    """A listener's TLS."""
    files = certificates.files
    return {"tls": {"certificate": files.certificate, "key": files.key}}


def originated(certificates: Any) -> dict[str, Any]:
    """A cluster's TLS."""
    return {"tls": {"trusted_ca": certificates.trusted_ca, "server_name": "here.mesh.local"}}


@pytest.mark.parametrize("client", CLIENTS)
def test_towards_clients(client: str, through: Callable, certificates: Any) -> None:
    mesh = through("node", listener=terminated(certificates))
    check(client, mesh.url, certificates.trusted_ca, "https")


@pytest.mark.parametrize("server", SERVERS)
def test_towards_servers(server: str, through: Callable, certificates: Any) -> None:
    mesh = through(server, tls=True, cluster=originated(certificates))
    check("http.client", mesh.url, None, "http")
    assert mesh.proxy.stats("cluster", "app")["upstream_cx_total"] == 1


def test_on_both_sides_with_a_websocket(through: Callable, certificates: Any) -> None:
    mesh = through(
        "aiohttp",
        tls=True,
        upgrades=("websocket",),
        listener=terminated(certificates),
        cluster=originated(certificates),
    )
    check("urllib3", mesh.url, certificates.trusted_ca, "https")
    url, context = mesh.url.replace("https", "wss"), client_tls(certificates.trusted_ca)
    with websockets.sync.client.connect(
        url + "/ws?token=tls", ssl=context, compression=None, proxy=None, open_timeout=LIMIT_S
    ) as connected:
        for size in (0, 10, 70_000):
            connected.send(b"x" * size)
            assert connected.recv(LIMIT_S) == b"x" * size


def test_a_client_that_does_not_trust_the_proxy_gets_nothing(through: Callable, certificates: Any) -> None:
    mesh = through("node", listener=terminated(certificates))
    with pytest.raises(ssl.SSLCertVerificationError):
        exchange(
            "http.client", Request("GET", mesh.url + "/describe", trusted_ca=ssl.get_default_verify_paths().cafile)
        )
    assert mesh.proxy.stats("listener", "in")["downstream_rq_total"] == 0

"""What the TLS tests share: an authority, a certificate for the proxy, one for its peers."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.certificates import Authority, Files, Leaf
from tests.support.peer import Origin, Peer
from tests.support.running_proxy import RunningProxy
from tests.support.tls_peer import client_context, server_context, tls_accept, tls_connect

Settings = dict[str, Any]

# Of a cluster whose endpoint fails on purpose: one connection at the origin for one of a client.
ONCE: Settings = {"retry": {"max_connect_attempts": 1}}


class Pki:
    """An authority and what it has issued, in files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = Authority("root")
        self.trusted_ca = self.root.write(folder)
        self.proxy = self.issue("proxy")
        self.peer = self.issue("peer")

    def issue(self, name: str) -> Files:
        """A good certificate with names of that name."""
        names = {"uris": [f"spiffe://mesh.local/{name}"], "dns_names": [f"{name}.mesh.local"]}
        return self.write(self.root.issue(name, **names))

    def write(self, leaf: Leaf, name: str | None = None) -> Files:
        """Write a certificate and its key."""
        return leaf.write(self.folder, name)

    def listener(self, **more: Any) -> Settings:
        """TLS of a listener that asks for certificates."""
        return self.one_way(trusted_ca=self.trusted_ca, **more)

    def one_way(self, **more: Any) -> Settings:
        """TLS of a listener that does not ask for certificates."""
        return {"certificate": self.proxy.certificate, "key": self.proxy.key, **more}

    def cluster(self, **more: Any) -> Settings:
        """TLS of a cluster that shows a certificate."""
        own = {"certificate": self.proxy.certificate, "key": self.proxy.key}
        return {**own, "trusted_ca": self.trusted_ca, "server_name": "peer.mesh.local", **more}


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    """An authority of the test's own."""
    folder = tmp_path / "pki"
    folder.mkdir()
    return Pki(folder)


class Wiring:
    """A proxy with TLS on one side or on both, and how to be its client and its origin."""

    def __init__(self, proxy: RunningProxy, origin: Origin, pki: Pki, where: str) -> None:
        self.proxy, self.origin, self.pki, self.where = proxy, origin, pki, where

    def open(self, version: ssl.TLSVersion | None = None) -> tuple[Peer, Peer]:
        """A connection through the proxy: the client's end and the origin's."""
        if self.where == "cluster":
            client = self.proxy.connect()
        else:
            context = client_context(self.pki.trusted_ca, self.pki.peer, version=version)
            client = tls_connect(self.proxy.address(), context, "proxy.mesh.local")
        if self.where == "listener":
            return client, self.origin.accept()
        return client, tls_accept(self.origin, server_context(self.pki.peer, self.pki.trusted_ca, version=version))


@pytest.fixture(params=["listener", "cluster", "both"])
def where(request: pytest.FixtureRequest) -> str:
    """Where the proxy speaks TLS."""
    return request.param


@pytest.fixture
def wiring(serve: Callable[..., RunningProxy], origin: Origin, pki: Pki, where: str) -> Wiring:
    """A proxy with TLS on that side, certificates asked for everywhere."""
    listener = {} if where == "cluster" else {"tls": pki.listener()}
    cluster = {} if where == "listener" else {"tls": pki.cluster()}
    return Wiring(serve(origin.address, listener=listener, cluster=cluster), origin, pki, where)

"""What the TLS tests share: an authority, a certificate for the proxy, one for its peers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.certificates import Authority, Files, Leaf

Settings = dict[str, Any]


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

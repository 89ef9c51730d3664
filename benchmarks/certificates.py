"""The certificates of a measurement: one authority, and one leaf that both ends of every connection present."""

from dataclasses import dataclass
from pathlib import Path

from tests.support.certificates import Authority

NAME = "b.mesh.local"  # what whoever connects expects the server to be called
_IDENTITY = "spiffe://mesh.local/ns/bench/sa/b"


@dataclass(frozen=True)
class Credentials:
    """Where the PEM files are. ``bundle`` is the leaf with its key behind it, which HAProxy wants in one file."""

    authority: Path
    certificate: Path
    key: Path
    bundle: Path


def issue(directory: Path) -> Credentials:
    """Make an authority and a leaf, both ECDSA P-256, in ``directory``; return where the files are.

    The leaf is good for clients and servers, and carries a DNS name and a SPIFFE identity.
    """
    authority = Authority("ca")
    leaf = authority.issue("leaf", dns_names=[NAME], uris=[_IDENTITY])
    files = leaf.write(directory)
    bundle = directory / "leaf-with-key.pem"
    bundle.touch(mode=0o600)
    bundle.write_bytes(leaf.certificate_pem + leaf.key_pem)
    return Credentials(Path(authority.write(directory)), Path(files.certificate), Path(files.key), bundle)

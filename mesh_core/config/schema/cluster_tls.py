"""TLS: what a cluster shows and asks of its endpoints."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from mesh_core.config.schema.common import FilePath
from mesh_core.config.schema.tls import (
    CIPHER_SUITES,
    CIPHERS,
    GROUPS,
    Cipher,
    CipherSuite,
    Group,
    HostName,
    PeerNames,
    Protocol,
    VerifyDepth,
    Version,
)


class ClusterTls(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a cluster speaks TLS with its endpoints. The handshake is part of connect_timeout_ms."""

    trusted_ca: Annotated[
        FilePath | None,
        Meta(
            description=(
                "A file with the certificates, in PEM, of the CAs that endpoints' certificates must lead to, or the "
                "word system for the CAs that the operating system trusts (a file of that name is ./system). "
                "Default: none, and then insecure_skip_verify must be true."
            ),
            examples=["ca.pem"],
        ),
    ] = None
    server_name: Annotated[
        HostName | None,
        Meta(
            description=(
                "The host name that is asked for (SNI) and that an endpoint's certificate must have, unless peer says "
                "otherwise. Default: the host name in endpoints if they all have the same, else none."
            ),
            examples=["app.mesh.local"],
        ),
    ] = None
    peer: Annotated[
        PeerNames | None,
        Meta(
            description=(
                "Names that an endpoint's certificate must have, instead of server_name. Default: server_name."
            )
        ),
    ] = None
    insecure_skip_verify: Annotated[
        bool,
        Meta(
            description=(
                "Take any certificate from anybody: whoever is in between reads and changes everything. A warning is "
                "logged. Default: false."
            )
        ),
    ] = False
    certificate: Annotated[
        FilePath | None,
        Meta(
            description=(
                "A file with the certificate that endpoints are shown when they ask for one, in PEM, and behind it "
                "the intermediate certificates. Read again when it changes. Default: none."
            ),
            examples=["leaf.pem"],
        ),
    ] = None
    key: Annotated[
        FilePath | None,
        Meta(
            description="A file with the certificate's private key, in PEM, not encrypted. Default: none.",
            examples=["leaf.key"],
        ),
    ] = None
    alpn: Annotated[
        tuple[Protocol, ...],
        Meta(
            description="Application protocols to offer, the preferred first. Default: ALPN is not used.",
            examples=[["h2"]],
        ),
    ] = ()
    min_version: Annotated[
        Version,
        Meta(
            description=(
                "The oldest TLS version that is spoken, in quotes. Default: 1.2, as in Envoy; nothing older is secure "
                "(RFC 8996)."
            ),
            examples=['"1.3"'],
        ),
    ] = "1.2"
    max_version: Annotated[
        Version,
        Meta(
            description=(
                "The newest TLS version that is spoken, in quotes. Default: 1.3, the newest that there is (Envoy's "
                "clients: 1.2)."
            )
        ),
    ] = "1.3"
    cipher_suites: Annotated[
        tuple[CipherSuite, ...],
        Meta(
            description="Cipher suites of TLS 1.3 to offer, the preferred first. Default: as listeners have.",
            examples=[["TLS_AES_128_GCM_SHA256"]],
        ),
    ] = CIPHER_SUITES
    ciphers: Annotated[
        tuple[Cipher, ...],
        Meta(
            description=(
                "Cipher suites of TLS 1.2 to offer, by their OpenSSL or IANA names, the preferred first. Default: as "
                "listeners have."
            ),
            examples=[["ECDHE-ECDSA-AES128-GCM-SHA256"]],
        ),
    ] = CIPHERS
    groups: Annotated[
        tuple[Group, ...],
        Meta(
            description=(
                "Groups for the exchange of keys, the preferred first; a key is sent for the first one. Default: "
                "X25519 and P-256, whose handshakes are the cheapest."
            ),
            examples=[["X25519MLKEM768", "X25519"]],
        ),
    ] = GROUPS
    max_verify_depth: Annotated[
        VerifyDepth,
        Meta(
            description=(
                "Intermediate certificates between an endpoint's certificate and a trusted CA, at most. Default: 4, "
                "as listeners have (Envoy: 100)."
            ),
            examples=[2],
        ),
    ] = 4
    session_resumption: Annotated[
        bool,
        Meta(
            description=(
                "Whether a worker resumes the session that it had with an endpoint, which spares both most of the "
                "handshake. Default: true, as in Envoy."
            ),
            examples=[False],
        ),
    ] = True

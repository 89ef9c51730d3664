"""TLS: what a listener shows and asks of its clients."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from mesh_core.config.schema.common import FilePath, PositiveInt
from mesh_core.config.schema.tls import (
    CIPHER_SUITES,
    CIPHERS,
    GROUPS,
    Cipher,
    CipherSuite,
    Group,
    PeerNames,
    Protocol,
    ServerName,
    VerifyDepth,
    Version,
)


class ServerCertificate(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A further certificate of a listener, for clients that ask for one of its names."""

    server_names: Annotated[
        tuple[ServerName, ...],
        Meta(
            description=(
                "Names that a client asks for (SNI): host names, or `*.` and a host name for every name with one "
                "label before it. An exact name goes before one with `*`."
            ),
            examples=[["shop.example", "*.shop.example"]],
        ),
    ]
    certificate: Annotated[
        FilePath, Meta(description="As the listener's own.", examples=["shop.pem"])
    ]
    key: Annotated[FilePath, Meta(description="As the listener's own.", examples=["shop.key"])]


class ListenerTls(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a listener speaks TLS with its clients."""

    certificate: Annotated[
        FilePath,
        Meta(
            description=(
                "A file with the certificate that clients are shown, in PEM, and behind it the intermediate "
                "certificates up to a CA that they know. Read again when it changes. A relative path starts at the "
                "working directory of the process."
            ),
            examples=["leaf.pem"],
        ),
    ]
    key: Annotated[
        FilePath,
        Meta(
            description=(
                "A file with the certificate's private key, in PEM, not encrypted. Keep others from reading it (a "
                "warning is logged when they can)."
            ),
            examples=["leaf.key"],
        ),
    ]
    certificates: Annotated[
        tuple[ServerCertificate, ...],
        Meta(
            description=(
                "Further certificates, chosen by the name that a client asks for; any other name, or none, gets "
                "certificate. Default: none."
            )
        ),
    ] = ()
    trusted_ca: Annotated[
        FilePath | None,
        Meta(
            description=(
                "A file with the certificates, in PEM, of the CAs that clients' certificates must lead to; an "
                "intermediate CA may stand there without its root. Default: clients are not asked for a certificate."
            ),
            examples=["ca.pem"],
        ),
    ] = None
    require_client_certificate: Annotated[
        bool | None,
        Meta(
            description=(
                "Whether a client without a certificate is turned away; a certificate that it shows must be good in "
                "either case. Default: true with trusted_ca, which is given to keep strangers out (Envoy: false)."
            ),
            examples=[True],
        ),
    ] = None
    peer: Annotated[
        PeerNames | None,
        Meta(
            description=(
                "Names that a client's certificate must have. Default: every certificate of a trusted CA that may be "
                "used by clients passes, as in Envoy."
            )
        ),
    ] = None
    alpn: Annotated[
        tuple[Protocol, ...],
        Meta(
            description=(
                "Application protocols that are spoken here, the preferred first. A client that offers others only is "
                "turned away (RFC 7301). Default: ALPN is not answered."
            ),
            examples=[["h2", "http/1.1"]],
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
        Meta(description="The newest TLS version that is spoken, in quotes. Default: 1.3, the newest that there is."),
    ] = "1.3"
    cipher_suites: Annotated[
        tuple[CipherSuite, ...],
        Meta(
            description=(
                "Cipher suites of TLS 1.3, the preferred first; the server's order counts. Default: all three, with "
                "AES-128 first, the cheapest with AES instructions."
            ),
            examples=[["TLS_AES_128_GCM_SHA256"]],
        ),
    ] = CIPHER_SUITES
    ciphers: Annotated[
        tuple[Cipher, ...],
        Meta(
            description=(
                "Cipher suites of TLS 1.2, by their OpenSSL or IANA names, the preferred first. Default: the six with "
                "forward secrecy and authenticated encryption (RFC 9325, section 4.2); there are no others here."
            ),
            examples=[["ECDHE-ECDSA-AES128-GCM-SHA256"]],
        ),
    ] = CIPHERS
    groups: Annotated[
        tuple[Group, ...],
        Meta(
            description=(
                "Groups for the exchange of keys, the preferred first. Default: X25519 and P-256, whose handshakes "
                "are the cheapest. Put X25519MLKEM768 first against those who record traffic today to read it with a "
                "quantum computer; a handshake then costs about a quarter more. In TLS 1.2 the curves of certificates "
                "must be among them too."
            ),
            examples=[["X25519MLKEM768", "X25519"]],
        ),
    ] = GROUPS
    max_verify_depth: Annotated[
        VerifyDepth,
        Meta(
            description=(
                "Intermediate certificates between a client's certificate and a trusted CA, at most. Default: 4, our "
                "choice: each costs a signature to check, and a mesh has one or two (Envoy: 100)."
            ),
            examples=[2],
        ),
    ] = 4
    session_tickets: Annotated[
        bool,
        Meta(
            description=(
                "Whether clients may resume a session, without another check of certificates, for an hour. Tickets "
                "are good at listeners with the same TLS settings and files only, in this process. Default: true, as "
                "in Envoy."
            ),
            examples=[False],
        ),
    ] = True
    handshake_timeout_ms: Annotated[
        PositiveInt,
        Meta(
            description=(
                "Milliseconds in which the handshake must be complete. Default: 10000, our choice: some round trips "
                "with retransmissions (Envoy: no limit of its own; nginx: 60000)."
            ),
            examples=[10000],
        ),
    ] = 10_000

"""TLS: what a listener shows and asks of its clients, what a cluster shows and asks of its endpoints."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from mesh_core.config.schema.common import HOST_LABEL, FilePath, PositiveInt

HostName = Annotated[
    str,
    Meta(
        max_length=253,
        pattern=rf"^{HOST_LABEL}(\.{HOST_LABEL})*$",
        extra={"form": "a host name (labels of 1 to 63 of A-Z a-z 0-9 - _, with dots between)"},
    ),
]
ServerName = Annotated[
    str,
    Meta(
        max_length=253,
        pattern=rf"^(\*\.)?{HOST_LABEL}(\.{HOST_LABEL})*$",
        extra={"form": "a host name, or *. and a host name"},
    ),
]
TrustDomain = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=255,
        pattern=r"^[a-z0-9._-]+$",
        extra={"form": "a trust domain (1 to 255 of a-z 0-9 . - _; without spiffe://)"},
    ),
]
Uri = Annotated[
    str,
    Meta(
        max_length=2048,
        pattern=r"^[A-Za-z][A-Za-z0-9+.-]*:[!-~]+$",
        extra={"form": "a URI of at most 2048 ASCII characters"},
    ),
]
Protocol = Annotated[
    str,
    Meta(min_length=1, max_length=255, pattern=r"^[!-~]+$", extra={"form": "1 to 255 ASCII characters"}),
]
Version = Literal["1.2", "1.3"]
CipherSuite = Literal["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]
Cipher = Literal[
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
]
Group = Literal["X25519", "P-256", "P-384", "P-521", "X25519MLKEM768", "SecP256r1MLKEM768"]
VerifyDepth = Annotated[int, Meta(ge=0, le=16)]

CIPHER_SUITES: tuple[CipherSuite, ...] = (
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
)
CIPHERS: tuple[Cipher, ...] = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
)
GROUPS: tuple[Group, ...] = ("X25519", "P-256")


class PeerNames(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a peer's certificate must say, beyond leading to a trusted CA."""

    trust_domains: Annotated[
        tuple[TrustDomain, ...],
        Meta(
            description=(
                "The certificate is an X.509-SVID by SPIFFE's rules (exactly one URI name, which is a SPIFFE "
                "ID; not a CA's; if it restricts its usage, it names clients and servers) of one of these trust "
                "domains. Default: SPIFFE's rules are not applied."
            ),
            examples=[["mesh.local"]],
        ),
    ] = ()
    uris: Annotated[
        tuple[Uri, ...],
        Meta(
            description=(
                "The certificate has one of these URI names, compared as they stand, or one of dns_names. Default: "
                "no URI name is asked for."
            ),
            examples=[["spiffe://mesh.local/ns/shop/sa/cart"]],
        ),
    ] = ()
    dns_names: Annotated[
        tuple[HostName, ...],
        Meta(
            description=(
                "The certificate has one of these DNS names, or one of uris. A name in the certificate may have `*` "
                "for its first label. Default: no DNS name is asked for."
            ),
            examples=[["cart.shop.mesh.local"]],
        ),
    ] = ()


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

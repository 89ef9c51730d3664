"""TLS: the words that listeners and clusters share for it."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from mesh_core.config.schema.common import HOST_LABEL

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

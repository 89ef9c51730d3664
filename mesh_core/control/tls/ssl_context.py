"""From settings and certificates to an OpenSSL.SSL.Context, by pyOpenSSL's public API where it reaches.

What OpenSSL asks back during a handshake (verification, ALPN, SNI) is set by mesh_core.tls.context.
"""

from __future__ import annotations

import hashlib

import msgspec
from cryptography.hazmat.bindings._rust import _openssl
from OpenSSL import SSL, crypto

from mesh_core.config import ClusterTls, ListenerTls
from mesh_core.control.tls.files import Certificates, KeyFile

SESSION_LIFETIME_S = 3600
"""How long a session may be resumed: certificates are not checked again meanwhile. OpenSSL: 7200."""

CLIENT_CA_LIMIT = 32
"""CAs that clients are told of, so that they choose the right certificate; a longer list is not worth its bytes."""

_VERSIONS = {"1.2": SSL.TLS1_2_VERSION, "1.3": SSL.TLS1_3_VERSION}
_OPTIONS = SSL.OP_NO_COMPRESSION | _openssl.lib.SSL_OP_NO_RENEGOTIATION


def server_context(
    tls: ListenerTls, chain: Certificates, key: KeyFile, trusted: Certificates | None
) -> SSL.Context:
    """The context of a listener for one of its certificates. Raises SSL.Error."""
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    _set_common(context, tls, trusted)
    context.set_options(SSL.OP_CIPHER_SERVER_PREFERENCE)
    # Tickets carry the whole session. Without them TLS 1.3 of this OpenSSL sends tickets all the same, but they name
    # sessions that nobody has kept.
    if not tls.session_tickets:
        context.set_options(SSL.OP_NO_TICKET)
    context.set_session_id(_trust_digest(tls, trusted))
    _use(context, chain, key)
    if trusted is not None and len(trusted.certificates) <= CLIENT_CA_LIMIT:
        for each in trusted.certificates:
            context.add_client_ca(each)
    return context


def client_context(
    tls: ClusterTls, chain: Certificates | None, key: KeyFile | None, trusted: Certificates | None
) -> SSL.Context:
    """The context of a cluster. Raises SSL.Error."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    _set_common(context, tls, trusted)
    if not tls.session_resumption:
        context.set_options(SSL.OP_NO_TICKET)
    if chain is not None and key is not None:
        _use(context, chain, key)
    return context


def openssl_reason(error: SSL.Error) -> str:
    """What OpenSSL says, in its words."""
    return "; ".join(reason for _library, _function, reason in error.args[0]) if error.args else "OpenSSL failed"


def _set_common(context: SSL.Context, tls: ListenerTls | ClusterTls, trusted: Certificates | None) -> None:
    context.set_min_proto_version(_VERSIONS[tls.min_version])
    context.set_max_proto_version(_VERSIONS[tls.max_version])
    context.set_options(_OPTIONS)
    # A write of the data path is whole, or waits and comes again from another place; idle connections hold no buffers.
    context.clear_mode(_openssl.lib.SSL_MODE_ENABLE_PARTIAL_WRITE)
    context.set_mode(_openssl.lib.SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL.MODE_RELEASE_BUFFERS)
    # Sessions stand in tickets, or are kept by workers.
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_timeout(SESSION_LIFETIME_S)
    context.set_tls13_ciphersuites(":".join(tls.cipher_suites).encode())
    # Level 2 refuses keys, of peers and of CAs, with less than 112 bits of security: RSA under 2048, SHA-1.
    context.set_cipher_list(":".join([*tls.ciphers, "@SECLEVEL=2"]).encode())
    if _openssl.lib.SSL_CTX_set1_curves_list(context._context, ":".join(tls.groups).encode()) != 1:
        raise SSL.Error([("SSL", "", f"this OpenSSL lacks one of the groups {', '.join(tls.groups)}")])
    context.set_verify_depth(tls.max_verify_depth)
    if trusted is not None:
        _trust(context, trusted)


def _trust(context: SSL.Context, trusted: Certificates) -> None:
    store = context.get_cert_store()
    assert store is not None
    for each in trusted.certificates:
        store.add_cert(crypto.X509.from_cryptography(each))
    # An intermediate CA may be trusted without its root.
    store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)


def _use(context: SSL.Context, chain: Certificates, key: KeyFile) -> None:
    leaf, *intermediates = chain.certificates
    context.use_certificate(leaf)
    for each in intermediates:
        context.add_extra_chain_cert(each)
    context.use_privatekey(key.key)
    context.check_privatekey()


def _trust_digest(tls: ListenerTls, trusted: Certificates | None) -> bytes:
    """A session is good only where the same would have been asked of its client."""
    asked = (trusted and trusted.digest, tls.peer, tls.require_client_certificate, tls.max_verify_depth)
    return hashlib.sha256(msgspec.json.encode(asked)).digest()

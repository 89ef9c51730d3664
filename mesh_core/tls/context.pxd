"""What a listener or a cluster needs to speak TLS, as workers use it.

Made on the control thread, then read-only but for the sessions; kept by the snapshots that point into it.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t
from mesh_core.tls.openssl cimport SSL_CTX, SSL_SESSION


# Borrowed bytes, not NUL-terminated.
cdef struct TlsTextC:
    const uint8_t* text
    size_t size


# A further certificate of a server, chosen by the name that the client asks for.
cdef struct TlsAlternativeC:
    TlsTextC name              # lower case; of "*.suffix" the suffix
    bint wildcard              # one label must stand before the suffix
    SSL_CTX* ssl_ctx


# What must stand in a peer's certificate, beyond a chain to a trusted CA.
cdef struct PeerRulesC:
    TlsTextC* trust_domains    # SPIFFE: exactly one URI name, an ID of one of these domains
    uint32_t trust_domain_count
    TlsTextC* uris             # with dns_names: at least one of all of them; none given: any
    uint32_t uri_count
    TlsTextC* dns_names
    uint32_t dns_name_count


# Owner: TlsContext.
cdef struct TlsContextC:
    SSL_CTX* ssl_ctx           # kept by TlsContext
    bint server
    bint verify                # judge the peer's certificate
    bint resume                # client: offer the session of an earlier connection
    const TlsAlternativeC* alternatives
    uint32_t alternative_count
    TlsTextC alpn              # server: what it speaks, in order of preference, each behind its length
    const char* server_name    # client: what it asks for; NULL: nothing
    PeerRulesC rules
    int64_t handshake_timeout_ms


# A client's sessions with one endpoint, one for each worker: only that worker touches its own.
cdef class TlsSessions:
    cdef object __weakref__
    cdef SSL_SESSION** by_worker   # NULL where there is none; owned
    cdef uint32_t workers


cdef class TlsContext:
    cdef object __weakref__
    cdef TlsContextC table
    cdef list keep             # what `table` points into
    cdef list arena            # memory blocks; owned
    cdef object sessions       # TlsSessions by endpoint

    cdef add_alternatives(self, tuple alternatives, bint verify_peer, bint require_peer_certificate)
    cdef TlsTextC* texts(self, tuple texts, uint32_t* count) except NULL
    cdef TlsTextC text(self, bytes text)
    cdef void* allocate(self, size_t size) except NULL

    # The sessions with one endpoint: they live as long as somebody keeps them.
    cdef TlsSessions sessions_with(self, str endpoint, uint32_t workers)

"""What a listener or a cluster needs to speak TLS; the contract stands in context.pxd."""

from weakref import WeakValueDictionary

cimport cython
from libc.stdint cimport uintptr_t
from mesh_core.runtime.memory cimport memory_alloc, memory_free
from mesh_core.tls.callbacks cimport callbacks_install
from mesh_core.tls.openssl cimport load_openssl, openssl


cdef class TlsSessions:
    """A client's sessions with one endpoint."""

    def __cinit__(self, uint32_t workers):
        self.workers = workers
        self.by_worker = <SSL_SESSION**>memory_alloc(workers * sizeof(SSL_SESSION*))
        if self.by_worker == NULL:
            raise MemoryError()

    def __dealloc__(self):
        cdef uint32_t index
        if self.by_worker != NULL:
            for index in range(self.workers):
                if self.by_worker[index] != NULL:
                    openssl.SSL_SESSION_free(self.by_worker[index])
            memory_free(self.by_worker)


# The garbage collector, were it to look inside, could empty `arena` before __dealloc__ has read it. Nothing that is
# kept here leads back.
@cython.no_gc
cdef class TlsContext:
    """What a listener or a cluster needs to speak TLS."""

    def __init__(
        self, context, *, bint server, tuple alternatives=(), tuple alpn=(), bint verify_peer,
        bint require_peer_certificate, tuple trust_domains=(), tuple uris=(), tuple dns_names=(),
        server_name=None, bint resume=True, int64_t handshake_timeout_ms=10000,
    ):
        """`context`: an OpenSSL.SSL.Context with everything but what is said here, used by nobody else.

        `alternatives`: of a server, (server names, OpenSSL.SSL.Context) for each further certificate; a name may be
        "*.suffix". `alpn`: a server's protocols in order of preference; a client's offer. `trust_domains`, `uris`,
        `dns_names`: what a peer's certificate must say (PeerRulesC). `server_name`: what a client asks for.

        Raises ImportError when the installed `cryptography` lacks what workers need, MemoryError.
        """
        load_openssl()
        self.keep = [context, alternatives]
        self.arena = []
        self.sessions = WeakValueDictionary()
        self.table.ssl_ctx = ssl_ctx_of(context)
        self.table.server = server
        self.table.verify = verify_peer
        self.table.resume = resume
        self.table.handshake_timeout_ms = handshake_timeout_ms
        self.table.rules.trust_domains = self.texts(trust_domains, &self.table.rules.trust_domain_count)
        self.table.rules.uris = self.texts(uris, &self.table.rules.uri_count)
        self.table.rules.dns_names = self.texts(dns_names, &self.table.rules.dns_name_count)
        self.table.alpn = self.text(b"".join([bytes([len(each)]) + each.encode() for each in alpn]))
        if server_name is not None:
            self.table.server_name = <const char*>self.text(server_name.encode() + b"\0").text
        if not server and alpn and openssl.SSL_CTX_set_alpn_protos(
                self.table.ssl_ctx, self.table.alpn.text, <unsigned int>self.table.alpn.size):
            raise MemoryError()
        callbacks_install(self.table.ssl_ctx, server, verify_peer, require_peer_certificate)
        self.add_alternatives(alternatives, verify_peer, require_peer_certificate)

    def __dealloc__(self):
        for block in self.arena or ():
            memory_free(<void*><uintptr_t>block)

    cdef add_alternatives(self, tuple alternatives, bint verify_peer, bint require_peer_certificate):
        cdef list named = [(name, context) for names, context in alternatives for name in names]
        cdef TlsAlternativeC* table = <TlsAlternativeC*>self.allocate(len(named) * sizeof(TlsAlternativeC))
        self.table.alternatives = table
        self.table.alternative_count = <uint32_t>len(named)
        for index, (name, context) in enumerate(named):
            table[index].wildcard = name.startswith("*.")
            table[index].name = self.text(name.removeprefix("*.").lower().encode())
            table[index].ssl_ctx = ssl_ctx_of(context)
            # A session that has gone over to it asks it about ALPN.
            callbacks_install(table[index].ssl_ctx, self.table.server, verify_peer, require_peer_certificate)

    cdef TlsTextC* texts(self, tuple texts, uint32_t* count) except NULL:
        cdef TlsTextC* table = <TlsTextC*>self.allocate(len(texts) * sizeof(TlsTextC))
        for index, text in enumerate(texts):
            table[index] = self.text(text.encode())
        count[0] = <uint32_t>len(texts)
        return table

    cdef TlsTextC text(self, bytes text):
        self.keep.append(text)
        return TlsTextC(<const uint8_t*><const char*>text, len(text))

    cdef void* allocate(self, size_t size) except NULL:
        cdef void* block = memory_alloc(max(size, <size_t>1))
        if block == NULL:
            raise MemoryError()
        self.arena.append(<uintptr_t>block)
        return block

    cdef TlsSessions sessions_with(self, str endpoint, uint32_t workers):
        """The sessions with one endpoint: they live as long as somebody keeps them."""
        return self.sessions.setdefault(endpoint, TlsSessions(workers))


cdef SSL_CTX* ssl_ctx_of(context) except NULL:
    """The SSL_CTX inside an OpenSSL.SSL.Context."""
    from cryptography.hazmat.bindings._rust import _openssl
    return <SSL_CTX*><uintptr_t>int(_openssl.ffi.cast("uintptr_t", context._context))

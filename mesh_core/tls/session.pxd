"""One side's TLS session, without I/O: wire bytes are fed in and taken out, plain bytes read and written.

Worker thread, no GIL.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from mesh_core.tls.context cimport TlsContextC
from mesh_core.tls.openssl cimport BIO, SSL, SSL_SESSION, X509
from mesh_core.tls.peer_certificate cimport PeerRefusal

cdef enum:
    TLS_RECORD_BYTES = 16384   # plain bytes of the largest record (RFC 8446, section 5.1)

cdef enum TlsFlag:
    TLS_ESTABLISHED = 1 << 0   # the handshake is complete
    TLS_RESUMED = 1 << 1       # by a session of an earlier connection
    TLS_BORROWED = 1 << 2      # `input` reads bytes that are not ours
    TLS_BUFFERED = 1 << 3      # `input` may hold something that was not read yet
    TLS_CLOSE_SENT = 1 << 4    # our close_notify is on its way
    TLS_CLOSE_RECEIVED = 1 << 5
    TLS_SESSION_TAKEN = 1 << 6  # client: its session was kept for the next connection
    TLS_SWOLLEN = 1 << 7       # `input` or `output` have grown
    TLS_JUDGED = 1 << 8        # the peer's certificate was held against our rules


# Owner: SideC.
cdef struct TlsC:
    SSL* ssl                   # owned; owns `input` and `output`
    BIO* input                 # wire bytes that wait to be read
    BIO* output                # wire bytes that wait to be sent
    const TlsContextC* context
    SSL_SESSION** kept         # client: where its session goes; borrowed, NULL: nowhere
    uint32_t flags             # TlsFlag bits
    unsigned long error        # OpenSSL's code of what failed; 0: none
    long verify_result         # X509_V_OK, or why the chain is not valid
    PeerRefusal refusal
    uint8_t* identity          # the peer's name; owned, NULL when it has none
    uint16_t identity_size


cdef enum:
    # Results of the functions below.
    TLS_CLOSED = 0             # the peer has ended its stream
    TLS_WANT = -1              # more from the wire is needed
    TLS_FAILED = -2            # it cannot go on; tls_failure_text says why
    TLS_DONE = 1


# A session that waits for a handshake; NULL when memory is exhausted. `kept`: a client's slot for its session with
# this endpoint, or NULL.
cdef TlsC* tls_create(const TlsContextC* context, SSL_SESSION** kept) noexcept nogil

# The session remains worth resuming, unless it has failed. NULL is allowed.
cdef void tls_destroy(TlsC* tls) noexcept nogil

# Bytes came from the wire; they are copied. False when memory is exhausted.
cdef bint tls_feed(TlsC* tls, const uint8_t* data, size_t size) noexcept nogil

# The same without a copy: everything must be read (until TLS_WANT or an end) before `data` is touched again.
cdef bint tls_feed_borrowed(TlsC* tls, const uint8_t* data, size_t size) noexcept nogil

# One step of the handshake: TLS_DONE, TLS_WANT or TLS_FAILED. There may be output in any case.
cdef int tls_handshake(TlsC* tls) noexcept nogil

# At most `size` plain bytes into `out`: how many, TLS_CLOSED, TLS_WANT or TLS_FAILED. There may be output.
cdef int tls_read(TlsC* tls, uint8_t* out, int size) noexcept nogil

# Whether wire bytes are left that no tls_read has looked at.
cdef bint tls_has_input(TlsC* tls) noexcept nogil

# At most TLS_RECORD_BYTES, as one record. False on failure.
cdef bint tls_write(TlsC* tls, const uint8_t* data, int size) noexcept nogil

# Take wire bytes to send: how many of at most `size`; 0 when there are none.
cdef int tls_output(TlsC* tls, uint8_t* out, int size) noexcept nogil

# Our stream ends: close_notify becomes output.
cdef void tls_close(TlsC* tls) noexcept nogil

# Give back memory that a burst has left. All output must have been taken.
cdef void tls_relax(TlsC* tls) noexcept nogil

# Why it failed, in words of ours or OpenSSL's; without an error, why its end was too early. Static.
cdef const char* tls_failure_text(const TlsC* tls) noexcept nogil

# Whether it failed because we did not accept the peer's certificate, or got none.
cdef bint tls_peer_refused(const TlsC* tls) noexcept nogil

# Hold the peer's certificate against our rules and learn its name. False when it is refused, or memory is exhausted.
cdef bint tls_judge(TlsC* tls, X509* certificate) noexcept nogil

# Whose handshake this thread is in the middle of: for OpenSSL's callbacks.
cdef TlsC* tls_current() noexcept nogil

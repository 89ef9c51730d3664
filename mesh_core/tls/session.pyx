"""One side's TLS session; the contract stands in session.pxd."""

from libc.stdint cimport uint32_t
from libc.string cimport memcpy
from mesh_core.runtime.memory cimport memory_alloc, memory_free
from mesh_core.tls.openssl cimport (
    ERR_REASON_MASK, SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE, SSL_ERROR_ZERO_RETURN,
    SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, SSL_RECEIVED_SHUTDOWN, SSL_SENT_SHUTDOWN, X509, X509_V_OK, openssl,
)
from mesh_core.tls.peer_certificate cimport IDENTITY_BYTES, PEER_ACCEPTED, peer_judge, peer_refusal_text

cdef extern from *:
    """
    static _Thread_local void *hm_current_session;
    """
    void* current_session "hm_current_session"


cdef TlsC* tls_current() noexcept nogil:
    return <TlsC*>current_session


# --- beginning and end ---

cdef TlsC* tls_create(const TlsContextC* context, SSL_SESSION** kept) noexcept nogil:
    cdef TlsC* tls = <TlsC*>memory_alloc(sizeof(TlsC))
    if tls == NULL:
        return NULL
    openssl.ERR_clear_error()
    tls.context = context
    tls.verify_result = X509_V_OK
    tls.ssl = openssl.SSL_new(context.ssl_ctx)
    tls.input = openssl.BIO_new(openssl.BIO_s_mem())
    tls.output = openssl.BIO_new(openssl.BIO_s_mem())
    if tls.ssl == NULL or tls.input == NULL or tls.output == NULL or not set_role(tls, kept):
        openssl.BIO_free(tls.input)
        openssl.BIO_free(tls.output)
        openssl.SSL_free(tls.ssl)
        memory_free(tls)
        return NULL
    openssl.SSL_set_bio(tls.ssl, tls.input, tls.output)
    return tls


cdef bint set_role(TlsC* tls, SSL_SESSION** kept) noexcept nogil:
    if tls.context.server:
        openssl.SSL_set_accept_state(tls.ssl)
        return True
    openssl.SSL_set_connect_state(tls.ssl)
    if tls.context.resume and kept != NULL:
        tls.kept = kept
        # One that cannot be used any more is no failure: then the handshake is a full one.
        if kept[0] != NULL:
            openssl.SSL_set_session(tls.ssl, kept[0])
    return tls.context.server_name == NULL or openssl.SSL_set_tlsext_host_name(tls.ssl, tls.context.server_name) == 1


cdef void tls_destroy(TlsC* tls) noexcept nogil:
    if tls == NULL:
        return
    if tls.flags & TLS_ESTABLISHED and not tls.error:
        # OpenSSL would take a session that was not closed in both directions for a broken one.
        openssl.SSL_set_shutdown(tls.ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
    openssl.SSL_free(tls.ssl)
    memory_free(tls.identity)
    memory_free(tls)


# --- the wire's side ---

cdef bint tls_feed(TlsC* tls, const uint8_t* data, size_t size) noexcept nogil:
    if tls.flags & TLS_BORROWED:
        tls.input = openssl.BIO_new(openssl.BIO_s_mem())
        if tls.input == NULL:
            # The session has its own still, which holds nothing any more.
            return False
        openssl.SSL_set_bio(tls.ssl, tls.input, tls.output)
        tls.flags &= ~TLS_BORROWED
    openssl.ERR_clear_error()
    return openssl.BIO_write(tls.input, data, <int>size) == <int>size


cdef bint tls_feed_borrowed(TlsC* tls, const uint8_t* data, size_t size) noexcept nogil:
    cdef BIO* borrowed = openssl.BIO_new_mem_buf(data, <int>size)
    openssl.ERR_clear_error()
    if borrowed == NULL:
        return False
    # At its end there is no more for now, and not an end of the stream.
    openssl.BIO_set_mem_eof_return(borrowed, -1)
    openssl.SSL_set_bio(tls.ssl, borrowed, tls.output)
    tls.input = borrowed
    tls.flags |= TLS_BORROWED
    return True


cdef int tls_output(TlsC* tls, uint8_t* out, int size) noexcept nogil:
    cdef int taken = openssl.BIO_read(tls.output, out, size)
    return taken if taken > 0 else 0


cdef void tls_relax(TlsC* tls) noexcept nogil:
    cdef BIO* input
    cdef BIO* output
    if not tls.flags & TLS_SWOLLEN or tls_has_input(tls):
        return
    input = openssl.BIO_new(openssl.BIO_s_mem())
    output = openssl.BIO_new(openssl.BIO_s_mem())
    if input == NULL or output == NULL:
        openssl.BIO_free(input)
        openssl.BIO_free(output)
        return
    tls.flags &= ~<uint32_t>(TLS_SWOLLEN | TLS_BORROWED)
    openssl.SSL_set_bio(tls.ssl, input, output)
    tls.input = input
    tls.output = output


# --- the plain side ---

cdef int tls_handshake(TlsC* tls) noexcept nogil:
    cdef int result
    global current_session
    current_session = tls
    result = openssl.SSL_do_handshake(tls.ssl)
    current_session = NULL
    if result != 1:
        result = unfinished(tls, result)
        if result == TLS_FAILED and tls.kept != NULL:
            # Whatever was wrong, the next handshake shall be a full one.
            keep_session(tls, NULL)
        return result
    tls.flags |= TLS_ESTABLISHED | TLS_BUFFERED | TLS_SWOLLEN
    if openssl.SSL_session_reused(tls.ssl) == 1:
        tls.flags |= TLS_RESUMED
    if identify(tls):
        return TLS_DONE
    if tls.kept != NULL:
        # The certificate in a session does not become better: a full handshake shows the one of now.
        keep_session(tls, NULL)
    return TLS_FAILED


cdef bint identify(TlsC* tls) noexcept nogil:
    """Judge the peer of a resumed handshake, which has verified nothing."""
    cdef X509* certificate
    cdef bint accepted
    if not tls.context.verify or tls.flags & TLS_JUDGED:
        return True
    certificate = openssl.SSL_get_peer_certificate(tls.ssl)
    if certificate == NULL:
        return True
    accepted = tls_judge(tls, certificate)
    openssl.X509_free(certificate)
    return accepted


cdef bint tls_judge(TlsC* tls, X509* certificate) noexcept nogil:
    cdef uint8_t[IDENTITY_BYTES] name
    cdef uint16_t size
    tls.refusal = peer_judge(tls.context, certificate, name, &size)
    tls.flags |= TLS_JUDGED
    memory_free(tls.identity)
    tls.identity = NULL
    tls.identity_size = 0
    if size:
        tls.identity = <uint8_t*>memory_alloc(size)
        if tls.identity == NULL:
            return False
        memcpy(tls.identity, name, size)
        tls.identity_size = size
    return tls.refusal == PEER_ACCEPTED


cdef int tls_read(TlsC* tls, uint8_t* out, int size) noexcept nogil:
    cdef int result = openssl.SSL_read(tls.ssl, out, size)
    if result <= 0:
        return unfinished(tls, result)
    if tls.kept != NULL and not tls.flags & TLS_SESSION_TAKEN:
        # A server sends its tickets behind the handshake, so before its first data (RFC 8446, section 4.6.1).
        tls.flags |= TLS_SESSION_TAKEN
        keep_session(tls, openssl.SSL_get1_session(tls.ssl))
    return result


cdef bint tls_has_input(TlsC* tls) noexcept nogil:
    return openssl.BIO_get_mem_data(tls.input, NULL) > 0


cdef void keep_session(TlsC* tls, SSL_SESSION* session) noexcept nogil:
    """Keep this one for the next connection, or none."""
    if tls.kept[0] != NULL:
        openssl.SSL_SESSION_free(tls.kept[0])
    tls.kept[0] = session


cdef int unfinished(TlsC* tls, int result) noexcept nogil:
    """What a result that is no success means; the error of a failure is kept."""
    cdef int error = openssl.SSL_get_error(tls.ssl, result)
    if error == SSL_ERROR_WANT_READ or error == SSL_ERROR_WANT_WRITE:
        return TLS_WANT
    if error == SSL_ERROR_ZERO_RETURN:
        tls.flags |= TLS_CLOSE_RECEIVED
        return TLS_CLOSED
    tls.error = openssl.ERR_get_error()
    tls.verify_result = openssl.SSL_get_verify_result(tls.ssl)
    openssl.ERR_clear_error()
    return TLS_FAILED


cdef bint tls_write(TlsC* tls, const uint8_t* data, int size) noexcept nogil:
    cdef int result
    if size >= TLS_RECORD_BYTES // 4:
        tls.flags |= TLS_SWOLLEN
    result = openssl.SSL_write(tls.ssl, data, size)
    if result == size:
        return True
    unfinished(tls, result)
    return False


cdef void tls_close(TlsC* tls) noexcept nogil:
    tls.flags |= TLS_CLOSE_SENT
    openssl.SSL_shutdown(tls.ssl)
    openssl.ERR_clear_error()


cdef bint tls_peer_refused(const TlsC* tls) noexcept nogil:
    return (tls.refusal != PEER_ACCEPTED or tls.verify_result != X509_V_OK
            or tls.error & ERR_REASON_MASK == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)


cdef const char* tls_failure_text(const TlsC* tls) noexcept nogil:
    cdef const char* reason
    if tls.refusal != PEER_ACCEPTED:
        return peer_refusal_text(tls.refusal)
    if tls.verify_result != X509_V_OK:
        return openssl.X509_verify_cert_error_string(tls.verify_result)
    if tls.error:
        reason = openssl.ERR_reason_error_string(tls.error)
        if reason != NULL:
            return reason
        return b"TLS error"
    if tls.flags & TLS_ESTABLISHED:
        return b"ended without close_notify"
    return b"ended during the TLS handshake"

"""What OpenSSL asks during a handshake; the contract stands in callbacks.pxd."""

from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memchr, memcmp, strlen
from mesh_core.tls.context cimport TlsAlternativeC, TlsContextC
from mesh_core.tls.openssl cimport (
    SSL, SSL_TLSEXT_ERR_ALERT_FATAL, SSL_TLSEXT_ERR_NOACK, SSL_TLSEXT_ERR_OK, SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
    SSL_VERIFY_NONE, SSL_VERIFY_PEER, TLSEXT_NAMETYPE_HOST_NAME, X509_STORE_CTX,
    X509_V_ERR_APPLICATION_VERIFICATION, openssl,
)
from mesh_core.tls.session cimport tls_current, tls_judge


cdef void callbacks_install(SSL_CTX* ssl_ctx, bint server, bint verify, bint require) noexcept:
    cdef int mode = SSL_VERIFY_NONE
    if verify:
        mode = SSL_VERIFY_PEER | (SSL_VERIFY_FAIL_IF_NO_PEER_CERT if require else 0)
    openssl.SSL_CTX_set_verify(ssl_ctx, mode, on_verify)
    if server:
        openssl.SSL_CTX_set_alpn_select_cb(ssl_ctx, on_alpn, NULL)
        openssl.SSL_CTX_set_tlsext_servername_callback(ssl_ctx, on_server_name)


cdef int on_verify(int accepted, X509_STORE_CTX* store) noexcept nogil:
    """Called for every certificate of a chain from the root on; the leaf must also follow our rules."""
    if not accepted or openssl.X509_STORE_CTX_get_error_depth(store):
        return accepted
    if tls_current() != NULL and tls_judge(tls_current(), openssl.X509_STORE_CTX_get_current_cert(store)):
        return 1
    openssl.X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION)
    return 0


cdef int on_alpn(
    SSL* ssl, const uint8_t** out, uint8_t* out_size, const uint8_t* offered, unsigned int offered_size, void* argument
) noexcept nogil:
    """The first of ours that the client offers too (RFC 7301, section 3.2); OpenSSL has checked the list's form."""
    cdef const TlsContextC* context = tls_current().context
    cdef const uint8_t* ours = context.alpn.text
    cdef const uint8_t* end = ours + context.alpn.size
    cdef const uint8_t* theirs
    if context.alpn.size == 0:
        return SSL_TLSEXT_ERR_NOACK
    while ours < end:
        theirs = offered
        while theirs < offered + offered_size:
            if theirs[0] == ours[0] and memcmp(theirs + 1, ours + 1, ours[0]) == 0:
                out[0] = theirs + 1
                out_size[0] = theirs[0]
                return SSL_TLSEXT_ERR_OK
            theirs += 1 + theirs[0]
        ours += 1 + ours[0]
    return SSL_TLSEXT_ERR_ALERT_FATAL


cdef int on_server_name(SSL* ssl, int* alert, void* argument) noexcept nogil:
    """Go on with the certificate for the name that the client asks for; any other name gets the first one."""
    cdef const TlsContextC* context = tls_current().context
    cdef const char* asked = openssl.SSL_get_servername(ssl, TLSEXT_NAMETYPE_HOST_NAME)
    cdef const TlsAlternativeC* chosen
    if asked == NULL:
        return SSL_TLSEXT_ERR_NOACK
    chosen = alternative_for(context, <const uint8_t*>asked, strlen(asked))
    if chosen != NULL and openssl.SSL_set_SSL_CTX(ssl, chosen.ssl_ctx) == NULL:
        return SSL_TLSEXT_ERR_ALERT_FATAL
    return SSL_TLSEXT_ERR_OK


cdef const TlsAlternativeC* alternative_for(
    const TlsContextC* context, const uint8_t* asked, size_t size
) noexcept nogil:
    """An exact name before one with a wildcard."""
    cdef const uint8_t* dot = <const uint8_t*>memchr(asked, c".", size)
    cdef const TlsAlternativeC* each
    cdef const TlsAlternativeC* found = NULL
    cdef uint32_t index
    for index in range(context.alternative_count):
        each = &context.alternatives[index]
        if not each.wildcard and same_name(asked, size, each.name.text, each.name.size):
            return each
        if each.wildcard and found == NULL and dot > asked and same_name(
                dot + 1, asked + size - dot - 1, each.name.text, each.name.size):
            found = each
    return found


cdef bint same_name(const uint8_t* asked, size_t asked_size, const uint8_t* name, size_t size) noexcept nogil:
    """Whether a host name is `name`, which is in lower case."""
    cdef size_t index
    cdef uint8_t letter
    if asked_size != size:
        return False
    for index in range(size):
        letter = asked[index]
        if c"A" <= letter <= c"Z":
            letter |= 0x20
        if letter != name[index]:
            return False
    return True

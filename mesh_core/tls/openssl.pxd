"""The table of OpenSSL functions that workers call, filled from the library that pyOpenSSL carries when the
first context is made.

The only way to OpenSSL from compiled code: nothing is linked. Any thread, no GIL; an object (session, BIO) belongs to
one thread, an SSL_CTX to all.
"""

from libc.stdint cimport uint8_t

cdef enum:
    SSL_ERROR_SSL = 1
    SSL_ERROR_WANT_READ = 2
    SSL_ERROR_WANT_WRITE = 3
    SSL_ERROR_SYSCALL = 5
    SSL_ERROR_ZERO_RETURN = 6
    SSL_SENT_SHUTDOWN = 1
    SSL_RECEIVED_SHUTDOWN = 2
    SSL_VERIFY_NONE = 0
    SSL_VERIFY_PEER = 1
    SSL_VERIFY_FAIL_IF_NO_PEER_CERT = 2
    SSL_TLSEXT_ERR_OK = 0
    SSL_TLSEXT_ERR_ALERT_FATAL = 2
    SSL_TLSEXT_ERR_NOACK = 3
    TLSEXT_NAMETYPE_HOST_NAME = 0
    X509_V_OK = 0
    X509_V_ERR_CERT_HAS_EXPIRED = 10
    X509_V_ERR_APPLICATION_VERIFICATION = 50
    SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE = 199
    ERR_REASON_MASK = 0x7FFFFF

# OpenSSL's own, of which only the addresses matter here.
cdef extern from *:
    """
    typedef struct hm_SSL hm_SSL;
    typedef struct hm_SSL_CTX hm_SSL_CTX;
    typedef struct hm_SSL_SESSION hm_SSL_SESSION;
    typedef struct hm_SSL_CIPHER hm_SSL_CIPHER;
    typedef struct hm_BIO hm_BIO;
    typedef struct hm_BIO_METHOD hm_BIO_METHOD;
    typedef struct hm_X509 hm_X509;
    typedef struct hm_X509_STORE_CTX hm_X509_STORE_CTX;
    """
    ctypedef struct SSL "hm_SSL":
        pass
    ctypedef struct SSL_CTX "hm_SSL_CTX":
        pass
    ctypedef struct SSL_SESSION "hm_SSL_SESSION":
        pass
    ctypedef struct SSL_CIPHER "hm_SSL_CIPHER":
        pass
    ctypedef struct BIO "hm_BIO":
        pass
    ctypedef struct BIO_METHOD "hm_BIO_METHOD":
        pass
    ctypedef struct X509 "hm_X509":
        pass
    ctypedef struct X509_STORE_CTX "hm_X509_STORE_CTX":
        pass

ctypedef int (*verify_fn)(int accepted, X509_STORE_CTX* store) noexcept nogil
ctypedef int (*alpn_select_fn)(
    SSL* ssl, const uint8_t** out, uint8_t* out_size, const uint8_t* offered, unsigned int offered_size, void* argument
) noexcept nogil
ctypedef int (*servername_fn)(SSL* ssl, int* alert, void* argument) noexcept nogil


# Each field is the OpenSSL function of that name; its manual page is the contract.
cdef struct OpenSslC:
    SSL* (*SSL_new)(SSL_CTX*) noexcept nogil
    void (*SSL_free)(SSL*) noexcept nogil
    void (*SSL_set_bio)(SSL*, BIO* read, BIO* write) noexcept nogil
    void (*SSL_set_accept_state)(SSL*) noexcept nogil
    void (*SSL_set_connect_state)(SSL*) noexcept nogil
    int (*SSL_do_handshake)(SSL*) noexcept nogil
    int (*SSL_read)(SSL*, void* out, int size) noexcept nogil
    int (*SSL_write)(SSL*, const void* data, int size) noexcept nogil
    int (*SSL_shutdown)(SSL*) noexcept nogil
    void (*SSL_set_shutdown)(SSL*, int mode) noexcept nogil
    int (*SSL_get_error)(const SSL*, int result) noexcept nogil
    int (*SSL_version)(const SSL*) noexcept nogil
    const char* (*SSL_get_version)(const SSL*) noexcept nogil
    const SSL_CIPHER* (*SSL_get_current_cipher)(const SSL*) noexcept nogil
    const char* (*SSL_CIPHER_get_name)(const SSL_CIPHER*) noexcept nogil
    const char* (*SSL_get_servername)(const SSL*, int kind) noexcept nogil
    long (*SSL_set_tlsext_host_name)(SSL*, const char* name) noexcept nogil
    SSL_CTX* (*SSL_set_SSL_CTX)(SSL*, SSL_CTX*) noexcept nogil
    void (*SSL_get0_alpn_selected)(const SSL*, const uint8_t** out, unsigned int* size) noexcept nogil
    long (*SSL_get_verify_result)(const SSL*) noexcept nogil
    X509* (*SSL_get_peer_certificate)(const SSL*) noexcept nogil
    int (*SSL_session_reused)(const SSL*) noexcept nogil
    int (*SSL_set_session)(SSL*, SSL_SESSION*) noexcept nogil
    SSL_SESSION* (*SSL_get1_session)(SSL*) noexcept nogil
    void (*SSL_SESSION_free)(SSL_SESSION*) noexcept nogil
    void (*SSL_CTX_set_verify)(SSL_CTX*, int mode, verify_fn verify) noexcept nogil
    int (*SSL_CTX_set_alpn_protos)(SSL_CTX*, const uint8_t* protocols, unsigned int size) noexcept nogil
    void (*SSL_CTX_set_alpn_select_cb)(SSL_CTX*, alpn_select_fn select, void* argument) noexcept nogil
    void (*SSL_CTX_set_tlsext_servername_callback)(SSL_CTX*, servername_fn callback) noexcept nogil
    BIO* (*BIO_new)(const BIO_METHOD*) noexcept nogil
    const BIO_METHOD* (*BIO_s_mem)() noexcept nogil
    BIO* (*BIO_new_mem_buf)(const void* data, int size) noexcept nogil
    long (*BIO_set_mem_eof_return)(BIO*, int value) noexcept nogil
    long (*BIO_get_mem_data)(BIO*, char** data) noexcept nogil
    int (*BIO_read)(BIO*, void* out, int size) noexcept nogil
    int (*BIO_write)(BIO*, const void* data, int size) noexcept nogil
    int (*BIO_free)(BIO*) noexcept nogil
    void (*X509_free)(X509*) noexcept nogil
    int (*i2d_X509_bio)(BIO*, X509*) noexcept nogil
    X509* (*X509_STORE_CTX_get_current_cert)(const X509_STORE_CTX*) noexcept nogil
    int (*X509_STORE_CTX_get_error_depth)(const X509_STORE_CTX*) noexcept nogil
    void (*X509_STORE_CTX_set_error)(X509_STORE_CTX*, int error) noexcept nogil
    const char* (*X509_verify_cert_error_string)(long error) noexcept nogil
    unsigned long (*ERR_get_error)() noexcept nogil
    void (*ERR_clear_error)() noexcept nogil
    const char* (*ERR_reason_error_string)(unsigned long error) noexcept nogil


cdef OpenSslC openssl

# Control thread: fill the table, once. Raises ImportError, with the names, when the library lacks functions.
cdef load_openssl()

"""The table of OpenSSL functions; the contract stands in openssl.pxd."""

from libc.stdint cimport uintptr_t
from libc.string cimport memcpy


cdef void* find(str name, list missing):
    """Where a function of OpenSSL is; one that is not there is added to `missing`."""
    # Here and not above: a proxy without TLS does without the memory that it takes.
    from cryptography.hazmat.bindings._rust import _openssl as library
    if not hasattr(library.lib, name):
        missing.append(name)
        return NULL
    return <void*><uintptr_t>int(library.ffi.cast("uintptr_t", library.ffi.addressof(library.lib, name)))


cdef load_openssl():
    cdef OpenSslC table
    cdef list missing = []
    if openssl.SSL_new != NULL:
        return
    (<void**>&table.SSL_new)[0] = find("SSL_new", missing)
    (<void**>&table.SSL_free)[0] = find("SSL_free", missing)
    (<void**>&table.SSL_set_bio)[0] = find("SSL_set_bio", missing)
    (<void**>&table.SSL_set_accept_state)[0] = find("SSL_set_accept_state", missing)
    (<void**>&table.SSL_set_connect_state)[0] = find("SSL_set_connect_state", missing)
    (<void**>&table.SSL_do_handshake)[0] = find("SSL_do_handshake", missing)
    (<void**>&table.SSL_read)[0] = find("SSL_read", missing)
    (<void**>&table.SSL_write)[0] = find("SSL_write", missing)
    (<void**>&table.SSL_shutdown)[0] = find("SSL_shutdown", missing)
    (<void**>&table.SSL_set_shutdown)[0] = find("SSL_set_shutdown", missing)
    (<void**>&table.SSL_get_error)[0] = find("SSL_get_error", missing)
    (<void**>&table.SSL_version)[0] = find("SSL_version", missing)
    (<void**>&table.SSL_get_version)[0] = find("SSL_get_version", missing)
    (<void**>&table.SSL_get_current_cipher)[0] = find("SSL_get_current_cipher", missing)
    (<void**>&table.SSL_CIPHER_get_name)[0] = find("SSL_CIPHER_get_name", missing)
    (<void**>&table.SSL_get_servername)[0] = find("SSL_get_servername", missing)
    (<void**>&table.SSL_set_tlsext_host_name)[0] = find("SSL_set_tlsext_host_name", missing)
    (<void**>&table.SSL_set_SSL_CTX)[0] = find("SSL_set_SSL_CTX", missing)
    (<void**>&table.SSL_get0_alpn_selected)[0] = find("SSL_get0_alpn_selected", missing)
    (<void**>&table.SSL_get_verify_result)[0] = find("SSL_get_verify_result", missing)
    (<void**>&table.SSL_get_peer_certificate)[0] = find("SSL_get_peer_certificate", missing)
    (<void**>&table.SSL_session_reused)[0] = find("SSL_session_reused", missing)
    (<void**>&table.SSL_set_session)[0] = find("SSL_set_session", missing)
    (<void**>&table.SSL_get1_session)[0] = find("SSL_get1_session", missing)
    (<void**>&table.SSL_SESSION_free)[0] = find("SSL_SESSION_free", missing)
    (<void**>&table.SSL_CTX_set_verify)[0] = find("SSL_CTX_set_verify", missing)
    (<void**>&table.SSL_CTX_set_alpn_protos)[0] = find("SSL_CTX_set_alpn_protos", missing)
    (<void**>&table.SSL_CTX_set_alpn_select_cb)[0] = find("SSL_CTX_set_alpn_select_cb", missing)
    (<void**>&table.SSL_CTX_set_tlsext_servername_callback)[0] = find(
        "SSL_CTX_set_tlsext_servername_callback", missing)
    (<void**>&table.BIO_new)[0] = find("BIO_new", missing)
    (<void**>&table.BIO_s_mem)[0] = find("BIO_s_mem", missing)
    (<void**>&table.BIO_new_mem_buf)[0] = find("BIO_new_mem_buf", missing)
    (<void**>&table.BIO_set_mem_eof_return)[0] = find("BIO_set_mem_eof_return", missing)
    (<void**>&table.BIO_get_mem_data)[0] = find("BIO_get_mem_data", missing)
    (<void**>&table.BIO_read)[0] = find("BIO_read", missing)
    (<void**>&table.BIO_write)[0] = find("BIO_write", missing)
    (<void**>&table.BIO_free)[0] = find("BIO_free", missing)
    (<void**>&table.X509_free)[0] = find("X509_free", missing)
    (<void**>&table.i2d_X509_bio)[0] = find("i2d_X509_bio", missing)
    (<void**>&table.X509_STORE_CTX_get_current_cert)[0] = find("X509_STORE_CTX_get_current_cert", missing)
    (<void**>&table.X509_STORE_CTX_get_error_depth)[0] = find("X509_STORE_CTX_get_error_depth", missing)
    (<void**>&table.X509_STORE_CTX_set_error)[0] = find("X509_STORE_CTX_set_error", missing)
    (<void**>&table.X509_verify_cert_error_string)[0] = find("X509_verify_cert_error_string", missing)
    (<void**>&table.ERR_get_error)[0] = find("ERR_get_error", missing)
    (<void**>&table.ERR_clear_error)[0] = find("ERR_clear_error", missing)
    (<void**>&table.ERR_reason_error_string)[0] = find("ERR_reason_error_string", missing)
    if missing:
        raise ImportError(
            f"the installed cryptography package does not offer {', '.join(missing)}: "
            "install a release that pyproject.toml allows"
        )
    memcpy(&openssl, &table, sizeof(table))

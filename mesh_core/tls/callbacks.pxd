"""What OpenSSL asks in the middle of a handshake, answered from the context of the session that it is about.

Worker thread, no GIL; set on the control thread.
"""

from mesh_core.tls.openssl cimport SSL_CTX


# Control thread: make an SSL_CTX ask us. `verify`: judge peers' certificates; `require`: a peer must have one.
cdef void callbacks_install(SSL_CTX* ssl_ctx, bint server, bint verify, bint require) noexcept

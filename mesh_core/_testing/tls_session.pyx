"""TLS sessions without I/O, from Python."""

from libc.stdint cimport uint8_t
cimport mesh_core.tls.session as session_module
from mesh_core.tls.context cimport TlsContext, TlsSessions
from mesh_core.tls.session cimport TlsC

RESULTS = {session_module.TLS_DONE: "done", session_module.TLS_WANT: "want", session_module.TLS_FAILED: "failed"}

cdef enum:
    ROOM = 1 << 17


cdef class Session:
    """One side; raises MemoryError as its functions fail for want of memory."""

    cdef TlsC* tls
    cdef TlsContext context
    cdef TlsSessions kept
    cdef bytes borrowed
    cdef uint8_t[ROOM] buffer

    def __cinit__(self, TlsContext context not None, endpoint=None):
        """`endpoint`: of a client, whose session to resume and to keep."""
        self.context = context
        if endpoint is not None:
            self.kept = context.sessions_with(endpoint, 1)
        self.tls = session_module.tls_create(&context.table, self.kept.by_worker if self.kept is not None else NULL)
        if self.tls == NULL:
            raise MemoryError()

    def __dealloc__(self):
        session_module.tls_destroy(self.tls)

    def destroy(self):
        session_module.tls_destroy(self.tls)
        self.tls = NULL

    def feed(self, bytes data not None, bint borrowed=False):
        cdef bint fed
        if borrowed:
            self.borrowed = data
            fed = session_module.tls_feed_borrowed(self.tls, data, len(data))
        else:
            fed = session_module.tls_feed(self.tls, data, len(data))
        if not fed:
            raise MemoryError()

    def handshake(self):
        return RESULTS[session_module.tls_handshake(self.tls)]

    def read(self):
        """All plain bytes that there are, and "want", "failed" or "closed"."""
        cdef list pieces = []
        cdef int size = session_module.tls_read(self.tls, self.buffer, ROOM)
        while size > 0:
            pieces.append((<const char*>self.buffer)[:size])
            size = session_module.tls_read(self.tls, self.buffer, ROOM)
        return b"".join(pieces), "closed" if size == 0 else RESULTS[size]

    def write(self, bytes data not None):
        return bool(session_module.tls_write(self.tls, data, <int>len(data)))

    def output(self):
        cdef list pieces = []
        cdef int size = session_module.tls_output(self.tls, self.buffer, ROOM)
        while size:
            pieces.append((<const char*>self.buffer)[:size])
            size = session_module.tls_output(self.tls, self.buffer, ROOM)
        return b"".join(pieces)

    def close(self):
        session_module.tls_close(self.tls)

    def relax(self):
        session_module.tls_relax(self.tls)

    @property
    def has_input(self):
        return bool(session_module.tls_has_input(self.tls))

    @property
    def established(self):
        return bool(self.tls.flags & session_module.TLS_ESTABLISHED)

    @property
    def resumed(self):
        return bool(self.tls.flags & session_module.TLS_RESUMED)

    @property
    def failure(self):
        return session_module.tls_failure_text(self.tls).decode()

    @property
    def peer_refused(self):
        return bool(session_module.tls_peer_refused(self.tls))

    @property
    def identity(self):
        return (<const char*>self.tls.identity)[:self.tls.identity_size].decode() if self.tls.identity_size else None

"""Who serves a downstream connection; the contract stands in serving.pxd."""

from mesh_core.http.exchange cimport exchange_begin
from mesh_core.relay.awaiting_upstream cimport connection_connect


cdef void connection_serve(ConnectionC* connection) noexcept nogil:
    if connection.chain.http != NULL:
        exchange_begin(connection)
    else:
        connection_connect(connection)

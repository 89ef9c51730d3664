"""Streams as they begin, and what has come in place of a request. Worker thread, no GIL."""

from mesh_core.http.stream cimport StreamC
from mesh_core.relay.connection cimport ConnectionC


# A stream for the next request of the connection; NULL when memory is exhausted, and the connection has ended.
cdef StreamC* stream_begin(ConnectionC* connection) noexcept nogil

# What has come is not a request, by an Http1Error: answer, and end the connection.
cdef void request_refuse(ConnectionC* connection, int error) noexcept nogil

# A head has not become whole in time: so too.
cdef void request_late(ConnectionC* connection) noexcept nogil

# So too, of a request whose stream has begun: more may have been sent, and what that is nobody can say.
cdef void request_refuse_begun(StreamC* stream, int error) noexcept nogil

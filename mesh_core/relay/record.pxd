"""The access record of a connection, written into the worker's ring when it ends."""

from libc.stdint cimport int64_t
from mesh_core.relay.connection cimport ConnectionC


# Both sockets are still open (their local addresses are asked for). A full ring drops the record and counts it.
# `now_us` is of the monotonic clock.
cdef void connection_record(ConnectionC* connection, int64_t now_us) noexcept nogil

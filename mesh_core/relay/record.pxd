"""The access record of a connection, written into the worker's ring when it ends."""

from libc.stdint cimport int64_t
from mesh_core.relay.connection cimport ConnectionC
from mesh_core.telemetry.access_record cimport AccessTextsC
from mesh_core.tls.session cimport TlsC


# Both sockets are still open (their local addresses are asked for). A full ring drops the record and counts it.
# `now_us` is of the monotonic clock.
cdef void connection_record(ConnectionC* connection, int64_t now_us) noexcept nogil

# Add what a record says of TLS on either side; NULL: in the clear.
cdef void record_add_tls(AccessTextsC* texts, const TlsC* downstream, const TlsC* upstream) noexcept nogil

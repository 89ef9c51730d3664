"""A downstream connection that speaks HTTP/1: requests are read one after the other, each when the one before is over.

Worker thread, no GIL.
"""

from mesh_core.http.stream cimport DownstreamC, HttpWorkerC
from mesh_core.relay.connection cimport ConnectionC
from mesh_core.snapshot.tables cimport SnapshotC


# What every event ends with: if there is no stream, read the next request, or end the connection. It may be gone, or a
# tunnel, by then.
cdef void downstream_continue(ConnectionC* connection) noexcept nogil

# Have the connection end with the next answer whose head is still to be written, which says so; or, where nobody asks
# any more, once it has been idle for a second.
cdef void downstream_retire(DownstreamC* downstream) noexcept nogil

# Make the connections between requests follow the newest snapshot, and end those whose listener is gone.
cdef void downstreams_adopt(HttpWorkerC* worker, ConnectionC* first) noexcept nogil

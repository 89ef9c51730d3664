"""From an accepted socket to an open pair: limits, the PROXY protocol header, the endpoint, the connect.

Worker thread, no GIL.
"""

from mesh_core.includes.socket cimport sockaddr_storage
from mesh_core.relay.connection cimport ConnectionTableC
from mesh_core.snapshot.tables cimport ListenerC, SnapshotC


# Take over the accepted socket `fd` whose peer is `remote`. The connection ends by itself from here on, whatever
# happens.
cdef void connection_accept(
    ConnectionTableC* table, SnapshotC* snapshot, const ListenerC* listener, int fd, const sockaddr_storage* remote
) noexcept nogil

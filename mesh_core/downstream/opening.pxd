"""The beginning of a connection: the accepted socket, its place under the limits, the first phase.

Worker thread, no GIL. The phases follow each other, a module each: `opening`, `proxy_header`, `filter_chain`,
`downstream_tls`, `connecting`, `open_connection`. Each sets the handlers of the sockets and the timer, and calls the
next one when it is done.
"""

from mesh_core.includes.socket cimport sockaddr_storage
from mesh_core.relay.connection cimport ConnectionTableC
from mesh_core.snapshot.tables cimport ListenerC, SnapshotC


# Take over the accepted socket `fd` whose peer is `remote`. The connection ends by itself from here on, whatever
# happens.
cdef void connection_accept(
    ConnectionTableC* table, SnapshotC* snapshot, const ListenerC* listener, int fd, const sockaddr_storage* remote
) noexcept nogil

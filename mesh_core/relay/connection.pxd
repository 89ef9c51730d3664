"""One relayed connection: a downstream socket, an upstream socket, and what belongs to the pair.

Worker thread, no GIL. It begins here, goes through phases that are modules of their own (see opening.pxd), the last
of which is `open_connection`, and ends here: `connection_close` (as both sides wished) or `connection_abort`
(anything else: both peers see a reset).
"""

from libc.stdint cimport int64_t, uint16_t, uint32_t, uint64_t
from mesh_core.net.address cimport PeerAddressC
from mesh_core.relay.side cimport SideC
from mesh_core.relay.upstream cimport UpstreamC
from mesh_core.runtime.core cimport CoreC
from mesh_core.runtime.reactor cimport RetiredC, TaskC
from mesh_core.runtime.timers cimport TimerC
from mesh_core.snapshot.tables cimport ClusterC, FilterChainC, ListenerC, SnapshotC

cdef enum:
    SPARES_KEPT = 64           # closed connections whose memory is kept for the next ones


# Told that the connection is about to end, while all of it is still open; False: it writes no access record.
ctypedef bint (*connection_ending_fn)(ConnectionC* connection) noexcept nogil


# Owner: ConnectionTableC. Freed at the end of the turn in which it was closed. What every event looks at comes first.
cdef struct ConnectionC:
    ConnectionTableC* table
    SideC downstream
    SnapshotC* snapshot        # held
    const ListenerC* listener
    const FilterChainC* chain  # NULL until it was chosen, but where the listener has a fallback: then that
    void* protocol_state       # of who speaks more than bytes with the downstream; owned by them; NULL: nobody
    int64_t last_active_ms     # coarse monotonic clock
    PeerAddressC remote        # who connected; with PROXY protocol, who the header names
    PeerAddressC proxied_local  # with PROXY protocol, where the header says it connected to
    UpstreamC upstream
    TimerC timer               # opening: the phase's time-out, but for connecting; open: idle time, maximum duration
    TaskC task                 # more to move without a new event
    RetiredC retired
    ConnectionC* next
    ConnectionC** link         # what points at this connection in the table
    const ClusterC* cluster    # the chain's
    uint64_t id
    int64_t opened_ms          # coarse monotonic clock, at accept
    int64_t start_time_us      # since the Unix epoch
    int64_t opened_us          # monotonic clock, at accept
    uint32_t flags             # ResponseFlag bits
    uint16_t detail            # Detail
    bint secure                # TLS is spoken on one side or on both
    const char* downstream_failure    # why TLS failed, in words; static, NULL: it did not
    connection_ending_fn ending  # NULL: nobody is told
    bint counted               # holds a place under the connection limits


# All connections of one worker. Owner: WorkerC.
cdef struct ConnectionTableC:
    CoreC* core
    void* http                 # HttpWorkerC, for who speaks HTTP; borrowed
    ConnectionC* first
    ConnectionC* spare
    uint32_t spare_count


# A new connection in the table, holding `snapshot` and owning `fd`; NULL when memory is exhausted (then `fd` is the
# caller's still). Its handlers are not set, and it watches nothing yet.
cdef ConnectionC* connection_create(
    ConnectionTableC* table, SnapshotC* snapshot, const ListenerC* listener, int fd
) noexcept nogil

# Register a side with the reactor; False when that ended the connection (no memory, too many watches).
cdef bint connection_watch(ConnectionC* connection, SideC* side) noexcept nogil

# End it as its sides wished.
cdef void connection_close(ConnectionC* connection) noexcept nogil

# End it for a reason: resets to both sides, the flag and the detail into the access record.
cdef void connection_abort(ConnectionC* connection, uint32_t flag, uint16_t detail) noexcept nogil

# End it for want of memory, and count that.
cdef void connection_out_of_memory(ConnectionC* connection) noexcept nogil

# Free the spare memory; no connection may be left.
cdef void connection_table_destroy(ConnectionTableC* table) noexcept nogil

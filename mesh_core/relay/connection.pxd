"""One relayed connection: a downstream socket, an upstream socket, and what belongs to the pair.

Worker thread, no GIL. It begins here, goes through phases that are modules of their own (see opening.pxd), the last
of which is `open_connection`, and ends here: `connection_close` (as both sides wished) or `connection_abort`
(anything else: both peers see a reset).
"""

from libc.stdint cimport int64_t, uint16_t, uint32_t, uint64_t
from mesh_core.net.address cimport PeerAddressC
from mesh_core.relay.relay cimport SideC
from mesh_core.runtime.core cimport CoreC
from mesh_core.runtime.reactor cimport RetiredC, TaskC
from mesh_core.runtime.timers cimport TimerC
from mesh_core.snapshot.tables cimport ClusterC, EndpointC, FilterChainC, ListenerC, SnapshotC
from mesh_core.upstream.retry cimport ATTEMPTS_MOST

cdef enum:
    SPARES_KEPT = 64           # closed connections whose memory is kept for the next ones


ctypedef void (*handshake_done_fn)(ConnectionC* connection, int result) noexcept nogil


# The endpoints that a connection was refused by. Owner: ConnectionC, until its upstream is open.
cdef struct TriedC:
    EndpointC* endpoints[ATTEMPTS_MOST]
    uint32_t count


# Owner: ConnectionTableC. Freed at the end of the turn in which it was closed.
cdef struct ConnectionC:
    ConnectionTableC* table
    SideC downstream
    SideC upstream
    TimerC timer               # opening: the phase's time-out; open: idle time and maximum duration
    TaskC task                 # more to move without a new event
    RetiredC retired
    ConnectionC* next
    ConnectionC** link         # what points at this connection in the table
    SnapshotC* snapshot        # held
    const ListenerC* listener
    const FilterChainC* chain  # NULL until it was chosen, but where the listener has a fallback: then that
    const ClusterC* cluster    # the chain's
    EndpointC* endpoint        # NULL until one was picked
    uint64_t id
    int64_t last_active_ms     # coarse monotonic clock
    int64_t opened_ms          # the same clock, at accept
    int64_t start_time_us      # since the Unix epoch
    int64_t opened_us          # monotonic clock, at accept
    int64_t connect_begun_us   # the same clock, of the last attempt; 0 when there was none
    int64_t connect_time_us    # of the last attempt; -1 while there is no open upstream
    uint32_t flags             # ResponseFlag bits
    uint16_t detail            # Detail
    bint secure                # TLS is spoken on one side or on both
    SideC* handshaking         # the side whose handshake is under way
    handshake_done_fn handshake_done  # told a HandshakeResult
    const char* downstream_failure    # why TLS failed, in words; static, NULL: it did not
    const char* upstream_failure
    uint16_t error             # errno of the last failed connect
    uint16_t attempts          # to connect, the one under way included
    uint16_t upstream_counts   # UpstreamCount bits: where the upstream side is counted
    bint counted               # holds a place under the connection limits
    TriedC* tried              # owned; NULL unless an attempt has failed and another is to come
    PeerAddressC remote        # who connected; with PROXY protocol, who the header names
    PeerAddressC proxied_local  # with PROXY protocol, where the header says it connected to


# All connections of one worker. Owner: WorkerC.
cdef struct ConnectionTableC:
    CoreC* core
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

# Close one side and forget what it has queued; its handlers see nothing any more.
cdef void connection_close_side(ConnectionC* connection, SideC* side, bint reset) noexcept nogil

# End it as its sides wished.
cdef void connection_close(ConnectionC* connection) noexcept nogil

# End it for a reason: resets to both sides, the flag and the detail into the access record.
cdef void connection_abort(ConnectionC* connection, uint32_t flag, uint16_t detail) noexcept nogil

# End it for want of memory, and count that.
cdef void connection_out_of_memory(ConnectionC* connection) noexcept nogil

# Free the spare memory; no connection may be left.
cdef void connection_table_destroy(ConnectionTableC* table) noexcept nogil

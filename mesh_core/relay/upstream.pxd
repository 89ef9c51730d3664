"""A connection to an endpoint of a cluster, from the pick on: its socket, and where it is counted.

Embedded in what speaks over it: a relayed connection, or a pooled connection for requests. `connecting` opens it and
tells its owner; `upstream_counts` keeps its counts. Worker thread, no GIL.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from mesh_core.relay.side cimport SideC
from mesh_core.runtime.core cimport CoreC
from mesh_core.runtime.timers cimport TimerC
from mesh_core.snapshot.tables cimport ClusterC, EndpointC
from mesh_core.upstream.retry cimport ATTEMPTS_MOST

# It is open: the owner takes over the side's handler and the timer.
ctypedef void (*upstream_opened_fn)(void* owner) noexcept nogil
# It could not be opened, with ResponseFlag bits and a Detail; the owner calls upstream_close.
ctypedef void (*upstream_failed_fn)(void* owner, uint32_t flags, uint16_t detail) noexcept nogil
# Writes what is sent before everything else, PROXY_V2_LIMIT bytes at most; how many.
ctypedef size_t (*preface_fn)(void* owner, uint8_t* out) noexcept nogil


# The endpoints that refused. Owner: UpstreamC, until it is open.
cdef struct TriedC:
    EndpointC* endpoints[ATTEMPTS_MOST]
    uint32_t count


# Owner: the struct that it is embedded in, which holds the snapshot of `cluster` and calls upstream_close before it
# goes.
cdef struct UpstreamC:
    SideC side
    TimerC timer               # opening: the attempt's time-out, or the back-off; then the owner's
    CoreC* core
    const ClusterC* cluster    # NULL until upstream_open
    EndpointC* endpoint        # NULL until one was picked
    void* owner
    upstream_opened_fn opened
    upstream_failed_fn failed
    preface_fn preface         # NULL: nothing
    uint64_t hash              # what the pick goes by; see PickContextC
    uint32_t subset
    bint hashed
    bint requests              # carries requests, which are what balancers count and observe
    uint8_t counts             # UpstreamCount bits: where it is counted
    uint8_t priority           # Priority that it is counted by
    uint16_t error             # errno of the last failed connect
    uint16_t attempts          # to connect, the one under way included
    int64_t connect_begun_us   # monotonic clock, of the last attempt; 0 when there was none
    int64_t connect_time_us    # of the last attempt; -1 while it is not open
    const char* failure        # why TLS failed, in words; static, NULL: it did not
    TriedC* tried              # owned; NULL unless an attempt has failed and another is to come


# Make it that of `owner`; nothing is open yet. The struct is zeroed.
cdef void upstream_init(
    UpstreamC* upstream, CoreC* core, void* owner, upstream_opened_fn opened, upstream_failed_fn failed
) noexcept nogil

# Close it at whatever stage it is, leave every count, forget what is queued; its handlers see nothing any more. Again
# is allowed.
cdef void upstream_close(UpstreamC* upstream, bint reset) noexcept nogil

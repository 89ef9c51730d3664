"""What is known of an endpoint and of its cluster at run time: shared by all workers, outliving snapshots.

Words are read by anyone at any time and changed atomically. The objects belong to the control thread's Compiler, by
cluster name and endpoint address, and are kept by the snapshots whose tables point into them.
"""

from libc.stdint cimport int64_t, uint32_t, uint64_t

cdef enum:
    UNHEALTHY_ACTIVE = 1 << 0   # failed its active health checks
    UNHEALTHY_EJECTED = 1 << 1  # ejected by outlier detection
    ENDPOINT_REMOVED = 1 << 2   # no longer in the configuration


# Of requests, as their route says. When the proxy is short of something those of low priority are refused first, and
# those of high priority last.
cdef enum Priority:
    PRIORITY_DEFAULT
    PRIORITY_HIGH
    PRIORITY_LOW

cdef enum:
    BREAKER_COUNT = 2          # sets of circuit breakers, as in Envoy: of PRIORITY_DEFAULT and of PRIORITY_HIGH


# By whose circuit breakers requests of this priority go, and connections that are opened for them: low shares those of
# the default, so that what matters least takes nothing from what matters most.
cdef inline int breaker_priority(int priority) noexcept nogil:
    return PRIORITY_DEFAULT if priority == PRIORITY_LOW else priority


# Rules by which an endpoint is ejected for failures in a row, in the order in which they judge one result.
cdef enum EjectionRow:
    ROW_LOCAL_ORIGIN
    ROW_GATEWAY_FAILURE
    ROW_5XX
    ROW_ACCRUAL
    ROW_COUNT


# The adaptive limit on a cluster's requests; see concurrency_limit.pxd.
cdef struct ConcurrencyC:
    uint64_t limit             # requests at one time; 0: no limit
    uint64_t active            # those that count now
    uint64_t window_left       # samples still to take for the least round trip; 0: its window is closed
    uint64_t limit_after       # the limit once it is; 0: it has been restored
    int64_t window_begun_us    # monotonic clock; of the last window
    int64_t window_ends_ms     # coarse monotonic clock; at the latest


cdef struct ClusterStateC:
    uint64_t generation        # grows after any change of an endpoint's `unhealthy`
    uint64_t connections[BREAKER_COUNT]  # open, being opened, or waiting for another attempt; in all workers
    uint64_t pending[BREAKER_COUNT]  # those of them that are not open yet
    uint64_t retries           # those of them whose first attempt has failed
    uint64_t request_retries   # attempts of requests that are not the first one
    uint64_t breaker_retries[BREAKER_COUNT]  # the same by priority
    uint64_t retries_charged   # see retry_charge in retry.pxd
    uint64_t requests[BREAKER_COUNT]  # of HTTP, from the choice of the cluster until the answer's end
    uint64_t pending_requests[BREAKER_COUNT]  # those of them that wait for a connection
    uint64_t ejected           # endpoints that are ejected now, in all snapshots
    int64_t probe_at_ms        # from when on an endpoint awaits a probing request, at the soonest; 0: none does
    uint32_t ejections         # ever; grows after all else that an ejection changes
    ConcurrencyC concurrency


cdef struct EndpointStateC:
    uint64_t active            # connections open or being opened, in all workers
    uint64_t round_trip        # of connects; see peak_ewma.pxd. 0: none yet
    int64_t idle_timeout_ms    # learned: see idle_timeout.pxd; 0: nothing was
    uint32_t unhealthy         # bits as above; 0: may be picked
    int64_t healthy_since_ms   # coarse monotonic clock; when it joined or was last found healthy again
    # Of outlier detection; nobody writes them in a cluster without it.
    uint32_t consecutive[ROW_COUNT]  # failures in a row, as each rule counts them
    uint32_t successes         # connects of TCP, since the last sweep of the control thread
    uint32_t failures          # the same
    uint32_t ejections         # ever
    uint32_t ejection_multiplier  # of the base ejection time
    uint32_t ejection_jitter_ms
    int64_t ejected_at_ms      # coarse monotonic clock; of the last ejection
    uint32_t ejection_row      # EjectionRow of the last ejection that a worker made
    # With accrual, while it is ejected.
    uint32_t penalties         # in a row
    uint32_t probing           # 1 while a request tries it
    int64_t probe_at_ms        # coarse monotonic clock; when a request may; 0: never


cdef class ClusterState:
    cdef object __weakref__
    cdef ClusterStateC state


cdef class EndpointState:
    cdef object __weakref__
    cdef ClusterState cluster  # kept
    cdef EndpointStateC state


# Any thread: set or clear a bit of `unhealthy` and let every worker know; False when it was so already.
cdef bint endpoint_mark(ClusterStateC* cluster, EndpointStateC* endpoint, uint32_t bit, bint unhealthy) noexcept nogil

"""What is known of an endpoint and of its cluster at run time: shared by all workers, outliving snapshots.

Words are read by anyone at any time and changed atomically. The objects belong to the control thread's Compiler, by
cluster name and endpoint address, and are kept by the snapshots whose tables point into them.
"""

from libc.stdint cimport int64_t, uint32_t, uint64_t

cdef enum:
    UNHEALTHY_ACTIVE = 1 << 0   # failed its active health checks
    UNHEALTHY_EJECTED = 1 << 1  # ejected by outlier detection
    ENDPOINT_REMOVED = 1 << 2   # no longer in the configuration


cdef struct ClusterStateC:
    uint64_t generation        # grows after any change of an endpoint's `unhealthy`
    uint64_t connections       # open, being opened, or waiting for another attempt; in all workers
    uint64_t pending           # those of them that are not open yet
    uint64_t retries           # those of them whose first attempt has failed
    uint64_t requests          # of HTTP, from the choice of the cluster until the answer's end
    uint64_t pending_requests  # those of them that wait for a connection
    uint64_t ejected           # endpoints that are ejected now, in all snapshots
    uint32_t ejections         # ever; grows after all else that an ejection changes


cdef struct EndpointStateC:
    uint64_t active            # connections open or being opened, in all workers
    uint64_t round_trip        # of connects; see peak_ewma.pxd. 0: none yet
    uint32_t unhealthy         # bits as above; 0: may be picked
    int64_t healthy_since_ms   # coarse monotonic clock; when it joined or was last found healthy again
    # Of outlier detection; nobody writes them in a cluster without it.
    uint32_t consecutive_failures
    uint32_t successes         # connects, since the last sweep of the control thread
    uint32_t failures          # the same
    uint32_t ejections         # ever
    uint32_t ejection_multiplier  # of the base ejection time
    uint32_t ejection_jitter_ms
    int64_t ejected_at_ms      # coarse monotonic clock; of the last ejection


cdef class ClusterState:
    cdef object __weakref__
    cdef ClusterStateC state


cdef class EndpointState:
    cdef object __weakref__
    cdef ClusterState cluster  # kept
    cdef EndpointStateC state


# Any thread: set or clear a bit of `unhealthy` and let every worker know; False when it was so already.
cdef bint endpoint_mark(ClusterStateC* cluster, EndpointStateC* endpoint, uint32_t bit, bint unhealthy) noexcept nogil

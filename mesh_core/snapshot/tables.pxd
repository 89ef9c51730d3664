"""The tables that a snapshot is made of. Compiled on the control thread, then read-only, shared by all workers.

Everything that a pointer here leads to belongs to the snapshot's arena, or to an object that the snapshot keeps
alive. Only what is marked otherwise is ever written after publication.
"""

from libc.stdint cimport int64_t, uint16_t, uint32_t, uint64_t
from mesh_core.includes.socket cimport sockaddr_storage, socklen_t
from mesh_core.net.address cimport PeerAddressC
from mesh_core.tls.context cimport TlsContextC
from mesh_core.tls.openssl cimport SSL_SESSION
from mesh_core.upstream.endpoint_state cimport ClusterStateC, EndpointStateC


cdef enum:
    USERS_STRIDE = 8           # words between the counts of two workers: a cache line


# A short text of the configuration: not NUL-terminated.
cdef struct NameC:
    const char* text
    uint16_t size


cdef struct EndpointC:
    NameC name                 # the address as written
    sockaddr_storage address
    socklen_t address_size
    SSL_SESSION** tls_sessions  # for each worker, one to resume or NULL; NULL without TLS; written by that worker
    EndpointStateC* state      # shared by all workers and snapshots; written atomically
    uint64_t** stats           # EndpointStat words, a block for each worker


# What a choice of an endpoint goes by, besides the cluster; see upstream/pick.pxd.
cdef struct PickContextC:
    uint64_t hash              # of what shall lead to the same endpoint again; for balancers that hash
    int64_t now_ms             # coarse monotonic clock
    EndpointC** tried          # endpoints to avoid while there are others; borrowed for the call
    uint32_t tried_count


# A way to choose an endpoint; the table of functions that every balancer fills in.
# `init` prepares the state of one worker, on the control thread; `seed` differs by worker and snapshot. `pick`
# returns NULL when there is no endpoint to go to; `state` is then that worker's own.
ctypedef void (*init_fn)(const ClusterC* cluster, void* state, uint64_t seed) noexcept nogil
ctypedef EndpointC* (*pick_fn)(const ClusterC* cluster, void* state, const PickContextC* context) noexcept nogil

cdef struct LoadBalancerC:
    size_t state_bytes         # writable memory that one worker needs for one cluster
    init_fn init
    pick_fn pick


cdef struct ClusterC:
    NameC name
    EndpointC* endpoints
    uint32_t endpoint_count
    ClusterStateC* state       # shared by all workers and snapshots; written atomically
    const LoadBalancerC* balancer
    void** balancer_state      # for each worker; what it points to is written by that worker
    int64_t connect_timeout_ms
    int send_proxy_protocol    # 0, 1 or 2
    const TlsContextC* tls     # NULL: in the clear
    uint64_t** stats           # ClusterStat words, a block for each worker


cdef struct ListenerC:
    NameC name
    uint64_t socket_id         # the same in the next snapshot: the same sockets go on
    const int* descriptors     # a listening socket for each worker; borrowed from the control thread
    PeerAddressC local         # bound address
    const ClusterC* cluster
    uint32_t max_connections   # 0: no limit
    uint64_t* active           # connections of this listener in all workers; written atomically
    int64_t idle_timeout_ms    # 0: none
    int64_t max_duration_ms    # 0: none
    int64_t proxy_timeout_ms
    uint32_t buffer_limit      # bytes
    bint accept_proxy_protocol
    const TlsContextC* tls     # NULL: in the clear
    uint64_t** stats           # ListenerStat words, a block for each worker


cdef struct SnapshotC:
    uint64_t version
    uint32_t worker_count
    ListenerC* listeners
    uint32_t listener_count
    ClusterC* clusters
    uint32_t cluster_count
    uint32_t max_connections   # of the whole process; 0: no limit
    uint64_t* active           # connections of the process; written atomically
    int descriptor_limit       # the first descriptor number that traffic may not have
    bint access_log            # whether workers write access records
    uint64_t* users            # for each worker, USERS_STRIDE apart: what still holds this snapshot there; its own
    uint32_t* released         # for each worker: 1 once it has let go for good; written by that worker, atomically

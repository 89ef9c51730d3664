"""The tables that a snapshot is made of. Compiled on the control thread, then read-only, shared by all workers.

Everything that a pointer here leads to belongs to the snapshot's arena, or to an object that the snapshot keeps
alive. Only what is marked otherwise is ever written after publication.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from mesh_core.includes.socket cimport sockaddr_storage, socklen_t
from mesh_core.net.address cimport PeerAddressC
from mesh_core.snapshot.filter_chain_table cimport FilterChainTableC
from mesh_core.snapshot.http_settings cimport ClusterHttpC, HttpC
from mesh_core.telemetry.request_capture cimport CapturePlanC
from mesh_core.tls.context cimport TlsContextC
from mesh_core.tls.openssl cimport SSL_SESSION
from mesh_core.upstream.endpoint_state cimport BREAKER_COUNT, ClusterStateC, EndpointStateC
from mesh_core.upstream.priority_load cimport LevelLoadC
from mesh_core.upstream.weighted_table cimport WeightedTableC
from mesh_core.upstream.outlier_detection cimport OutlierPolicyC
from mesh_core.upstream.retry cimport RetryPolicyC


cdef enum:
    USERS_STRIDE = 8           # words between the counts of two workers: a cache line
    SUBSET_NONE = 0xFFFFFFFF   # no such subset: no endpoint is picked


# A short text of the configuration: not NUL-terminated.
cdef struct NameC:
    const char* text
    uint16_t size


cdef struct EndpointC:
    NameC name                 # the address as written
    sockaddr_storage address
    socklen_t address_size
    SSL_SESSION** tls_sessions  # for each worker, one to resume or NULL; NULL without TLS; written by that worker
    uint32_t weight
    EndpointStateC* state      # shared by all workers and snapshots; written atomically
    IdleClientsC* idle_clients  # for each worker, the same in every snapshot; written by that worker
    uint64_t** stats           # EndpointStat words, a block for each worker


# The idle connections to an endpoint that one worker keeps for requests; see mesh_core.http.pool.
cdef struct IdleClientsC:
    void* newest               # HttpClientC, the one that was used last
    void* oldest
    uint32_t count
    uint64_t version           # of the snapshot that the next two are of
    EndpointC* endpoint
    const ClusterC* cluster


# Numbers of a cluster's load balancing, defaults filled in.
cdef struct BalancerSettingsC:
    uint32_t choice_count
    double active_request_bias
    uint64_t minimum_ring_size
    uint64_t maximum_ring_size
    uint32_t maglev_table_size  # a prime
    double decay_ms
    uint32_t panic_threshold_percent
    uint32_t overprovisioning_percent
    bint weighted              # endpoints differ in weight
    int64_t slow_start_window_ms  # 0: none
    double slow_start_exponent  # 1 / aggression
    double slow_start_least    # the least part of the weight


# The endpoints of one priority level, or of one locality in it where localities have weights. Never empty.
cdef struct PoolTableC:
    EndpointC** members
    uint32_t member_count
    uint32_t locality_weight
    void* lookup               # what the balancer's `build` made; NULL for those that do not hash


# One priority level; those that have no endpoint are left out.
cdef struct LevelTableC:
    PoolTableC* pools
    uint32_t pool_count
    uint32_t member_count      # of all pools


# An endpoint by what names it in a session's cookie; see routing/session_affinity.pxd.
cdef struct EndpointKeyC:
    uint64_t key
    EndpointC* endpoint        # NULL: an empty place


# Those endpoints of a cluster that bear certain labels, highest priority first.
cdef struct SubsetC:
    LevelTableC* levels
    uint32_t level_count
    EndpointKeyC* keys         # its endpoints, a hash table of `key_mask` + 1 places; NULL: no route has use for it
    uint32_t key_mask


# What one worker keeps of a pool, level and subset: made on the control thread, then written by that worker only.
cdef struct PoolC:
    const PoolTableC* table
    EndpointC** eligible       # those that may be picked; room for every member
    uint32_t eligible_count
    bint panic                 # all members are eligible, healthy or not
    bint weighted              # the eligible ones differ in weight: `weights` stands
    WeightedTableC weights     # over `eligible`
    uint64_t turn              # of round robin


cdef struct LevelC:
    PoolC* pools
    uint32_t pool_count
    uint32_t load_percent      # of the cluster's connections
    bint panic
    WeightedTableC localities  # over `pools`; empty when none has both a weight and an eligible endpoint
    uint64_t turn              # of the localities


cdef struct ViewC:
    const SubsetC* subset
    LevelC* levels             # one for each of the subset's
    LevelLoadC* loads          # one for each level
    double* scratch            # room for the weights of the largest pool, and of the pools of a level
    PoolC* only                # where every pick goes, if that is a single pool
    uint64_t generation        # of the ClusterStateC that this was made by
    int64_t refresh_at_ms      # when weights change by themselves; INT64_MAX: never
    uint64_t random            # state of random_next


# What a choice of an endpoint goes by, besides the cluster; see upstream/pick.pxd.
cdef struct PickContextC:
    uint64_t hash              # of what shall lead to the same endpoint again; for balancers that hash
    bint hashed                # whether there is a hash; without one, a random number takes its place
    uint32_t subset            # index among the cluster's subsets, or SUBSET_NONE
    int64_t now_ms             # coarse monotonic clock
    EndpointC** tried          # endpoints to avoid while there are others; borrowed for the call
    uint32_t tried_count


# A way to choose an endpoint; the table of functions that every balancer fills in.
#
# `lookup_bytes` and `build` are for balancers that hash, NULL for others: how much memory the lookup of a pool needs,
# and to fill it in (zeroed at first, in table.lookup); control thread. `build` is False when memory is exhausted.
# `pick` chooses one of a pool's eligible endpoints, of which there is at least one, whether tried before or not. Only
# balancers that hash look at `context`: the others get what they need from `pool` and `random`.
# `observe`, or NULL: a connect took that long, in microseconds, or failed, which counts as the connect time-out.
ctypedef size_t (*lookup_bytes_fn)(const BalancerSettingsC* settings, const PoolTableC* table) noexcept nogil
ctypedef bint (*build_fn)(const BalancerSettingsC* settings, PoolTableC* table) noexcept nogil
ctypedef EndpointC* (*pick_fn)(
    const BalancerSettingsC* settings, PoolC* pool, uint64_t* random, const PickContextC* context) noexcept nogil
ctypedef void (*observe_fn)(
    const BalancerSettingsC* settings, EndpointC* endpoint, int64_t duration_us, int64_t now_ms) noexcept nogil

cdef struct LoadBalancerC:
    lookup_bytes_fn lookup_bytes
    build_fn build
    pick_fn pick
    observe_fn observe


# Circuit breakers of one priority, over all workers; 0: no limit.
cdef struct LimitsC:
    uint32_t max_connections
    uint32_t max_pending       # connections of TCP that are not open yet
    uint32_t max_requests
    uint32_t max_pending_requests  # that wait for a connection
    uint32_t max_retries       # of requests


cdef struct ClusterC:
    NameC name
    EndpointC* endpoints
    uint32_t endpoint_count
    ClusterStateC* state       # shared by all workers and snapshots; written atomically
    const LoadBalancerC* balancer
    BalancerSettingsC balancing
    SubsetC* subsets           # the first has every endpoint, the others are those that a listener asks for
    uint32_t subset_count
    ViewC** views              # for each worker, one for each subset; that worker's own
    int64_t connect_timeout_ms
    int send_proxy_protocol    # 0, 1 or 2
    const TlsContextC* tls     # NULL: in the clear
    LimitsC limits[BREAKER_COUNT]  # by Priority
    ClusterHttpC http
    RetryPolicyC retry
    OutlierPolicyC outlier
    bint health_checked        # actively
    uint32_t close_on          # `unhealthy` bits with which an endpoint's connections are reset
    uint64_t** stats           # ClusterStat words, a block for each worker
    uint64_t** outlier_stats   # OutlierStat words, the same; NULL without outlier detection
    uint64_t** concurrency_stats  # CONCURRENCY words, the same; NULL without an adaptive limit
    uint32_t metric_id         # the same for the same name in every snapshot; not 0
    uint64_t** time_stats      # words of the upstream_rq_time histogram, a block for each worker


# Where a connection goes.
cdef struct FilterChainC:
    uint64_t id                # within its listener: the same in the next snapshot while match, protocol and TLS are
    const ClusterC* cluster    # NULL: that is for the routes to say
    uint32_t subset            # of the cluster; SUBSET_NONE when it has none for this chain
    const TlsContextC* tls     # NULL: bytes are passed through
    const HttpC* http          # NULL: bytes are relayed as they come


cdef struct ListenerC:
    NameC name
    uint64_t socket_id         # the same in the next snapshot: the same sockets go on
    const int* descriptors     # listening sockets, `sockets_each` for each worker, -1 where there is none; borrowed
    uint32_t sockets_each      # more than 1 once sockets of a process with more workers were taken over
    PeerAddressC local         # bound address
    FilterChainC* fallback     # for connections that no filter chain fits; NULL: they are closed
    const FilterChainTableC* chain_table  # NULL: there are no filter chains
    const FilterChainC* chains  # by the indexes that the table gives
    uint32_t chain_count
    int64_t inspection_timeout_ms
    uint32_t max_connections   # 0: no limit
    uint64_t* active           # connections of this listener in all workers; written atomically
    int64_t idle_timeout_ms    # 0: none
    int64_t max_duration_ms    # 0: none
    int64_t proxy_timeout_ms
    uint32_t buffer_limit      # bytes
    bint accept_proxy_protocol
    uint8_t metric_traits      # RequestTrait bits that all its requests have
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
    const uint32_t* overload   # OverloadAction bits; written atomically by the control thread
    bint access_log            # whether workers write access records
    const CapturePlanC* capture_plan  # what they keep of requests for them; NULL without an access log
    const uint64_t* shared_sockets  # socket_id of those that another process accepts from, or may be about to
    uint32_t shared_socket_count
    uint64_t* users            # for each worker, USERS_STRIDE apart: what still holds this snapshot there; its own
    uint32_t* released         # for each worker: 1 once it has let go for good; written by that worker, atomically

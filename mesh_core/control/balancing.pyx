"""From a cluster's endpoints to the tables that picks go by; the contract stands in balancing.pxd."""

from mesh_core.snapshot.tables cimport (
    SUBSET_NONE, EndpointC, LevelTableC, LoadBalancerC, PoolTableC, SubsetC, ViewC,
)
from mesh_core.upstream.load_balancer cimport load_balancer
from mesh_core.upstream.view cimport view_bytes, view_init

from mesh_core.config.schema import LeastRequest, Maglev, PeakEwma, RingHash

cdef enum:
    # What one worker writes for every connection lies apart from what its neighbour writes: two cache lines, as
    # memory begins anywhere within one.
    LINE_BYTES = 128

EVERY_ENDPOINT = frozenset()


# --- which subsets there are ---

cdef dict needed_subsets(cluster, endpoints, references):
    cdef dict indexes = {EVERY_ENDPOINT: 0}
    if cluster.subsets is None:
        return indexes
    asked = [frozenset((each.subset or {}).items()) for each in references]
    for labels in (*asked, frozenset((cluster.subsets.default_subset or {}).items())):
        if labels and labels not in indexes and any([labels <= each.settings.labels.items() for each in endpoints]):
            indexes[labels] = len(indexes)
    return indexes


cdef uint32_t subset_index(cluster, dict subsets, labels) except? 0:
    if cluster.subsets is None:
        return 0
    if labels and frozenset(labels.items()) in subsets:
        return subsets[frozenset(labels.items())]
    if cluster.subsets.fallback_policy == "any_endpoint":
        return 0
    if cluster.subsets.fallback_policy == "default_subset":
        return subsets.get(frozenset(cluster.subsets.default_subset.items()), <uint32_t>SUBSET_NONE)
    return SUBSET_NONE


# --- tables shared by all workers ---

cdef compile_balancing(Snapshot snapshot, ClusterC* out, cluster, endpoints, dict subsets, uint64_t seed):
    cdef uint32_t worker
    out.balancer = load_balancer(cluster.load_balancer)
    fill_settings(out, cluster, endpoints)
    out.subsets = <SubsetC*>snapshot.allocate(len(subsets) * sizeof(SubsetC))
    out.subset_count = <uint32_t>len(subsets)
    for labels, index in subsets.items():
        compile_subset(snapshot, out, &out.subsets[<uint32_t>index], cluster, endpoints, labels)
    out.views = <ViewC**>snapshot.allocate(snapshot.table.worker_count * sizeof(void*))
    for worker in range(snapshot.table.worker_count):
        out.views[worker] = make_views(snapshot, out, seed + worker)


cdef fill_settings(ClusterC* out, cluster, endpoints):
    least_request = cluster.least_request or LeastRequest()
    ring_hash = cluster.ring_hash or RingHash()
    slow_start = cluster.slow_start
    out.balancing.choice_count = least_request.choice_count
    out.balancing.active_request_bias = least_request.active_request_bias
    out.balancing.minimum_ring_size = ring_hash.minimum_ring_size
    out.balancing.maximum_ring_size = ring_hash.maximum_ring_size
    out.balancing.maglev_table_size = (cluster.maglev or Maglev()).table_size
    out.balancing.decay_ms = (cluster.peak_ewma or PeakEwma()).decay_ms
    out.balancing.panic_threshold_percent = cluster.panic_threshold_percent
    out.balancing.overprovisioning_percent = cluster.overprovisioning_percent
    out.balancing.weighted = any([each.settings.weight != 1 for each in endpoints])
    if slow_start is not None:
        out.balancing.slow_start_window_ms = slow_start.window_ms
        out.balancing.slow_start_exponent = 1 / slow_start.aggression
        out.balancing.slow_start_least = slow_start.minimum_weight_percent / 100


cdef compile_subset(Snapshot snapshot, ClusterC* cluster_table, SubsetC* out, cluster, endpoints, labels):
    cdef dict weights = {each.locality: each.weight for each in cluster.locality_weights}
    cdef dict levels = {}
    cdef LevelTableC* level
    for index, endpoint in enumerate(endpoints):
        settings = endpoint.settings
        if not labels or labels <= settings.labels.items():
            # Where localities have no weights, they are of no consequence.
            locality = settings.locality if weights else None
            levels.setdefault(settings.priority, {}).setdefault(locality, []).append(index)
    out.levels = <LevelTableC*>snapshot.allocate(len(levels) * sizeof(LevelTableC))
    for _priority, pools in sorted(levels.items()):
        level = &out.levels[out.level_count]
        level.pools = <PoolTableC*>snapshot.allocate(len(pools) * sizeof(PoolTableC))
        out.level_count += 1
        for locality, members in pools.items():
            compile_pool(snapshot, cluster_table, &level.pools[level.pool_count], weights.get(locality, 1), members)
            level.member_count += level.pools[level.pool_count].member_count
            level.pool_count += 1


cdef compile_pool(Snapshot snapshot, ClusterC* cluster, PoolTableC* out, uint32_t weight, list members):
    cdef const LoadBalancerC* balancer = cluster.balancer
    cdef bint built
    cdef uint32_t index
    out.locality_weight = weight
    out.members = <EndpointC**>snapshot.allocate(len(members) * sizeof(void*))
    for index in members:
        out.members[out.member_count] = &cluster.endpoints[index]
        out.member_count += 1
    if balancer.build != NULL:
        out.lookup = snapshot.allocate(balancer.lookup_bytes(&cluster.balancing, out))
        with nogil:
            built = balancer.build(&cluster.balancing, out)
        if not built:
            raise MemoryError()


# --- what each worker keeps ---

cdef ViewC* make_views(Snapshot snapshot, ClusterC* cluster, uint64_t seed) except NULL:
    """All views of one worker, in one block that no other worker's memory shares a cache line with."""
    cdef size_t bytes = cluster.subset_count * sizeof(ViewC)
    cdef uint32_t index
    cdef char* memory
    cdef ViewC* views
    for index in range(cluster.subset_count):
        bytes += view_bytes(&cluster.subsets[index])
    memory = <char*>snapshot.allocate(bytes + LINE_BYTES)
    views = <ViewC*>memory
    memory += cluster.subset_count * sizeof(ViewC)
    for index in range(cluster.subset_count):
        view_init(&views[index], cluster, &cluster.subsets[index], memory, seed)
        memory += view_bytes(&cluster.subsets[index])
    return views

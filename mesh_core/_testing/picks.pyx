"""Picks of the load balancers, from Python."""

from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.string cimport memset
from mesh_core.runtime.clock cimport coarse_clock_ms, monotonic_us
from mesh_core.runtime.memory cimport memory_alloc, memory_free
from mesh_core.snapshot.snapshot cimport Snapshot
from mesh_core.snapshot.tables cimport BalancerSettingsC, ClusterC, EndpointC, PickContextC
from mesh_core.upstream.endpoint_state cimport endpoint_mark
cimport mesh_core.upstream.hashing as hashing
cimport mesh_core.upstream.peak_ewma as peak_ewma
cimport mesh_core.upstream.slow_start as slow_start
cimport mesh_core.upstream.priority_load as priority_load_module
from mesh_core.upstream.hashing cimport random_next
from mesh_core.upstream.pick cimport cluster_observe, cluster_pick
from mesh_core.upstream.priority_load cimport LevelLoadC
from mesh_core.upstream.weighted_table cimport (
    WeightedTableC, weighted_table_build, weighted_table_bytes, weighted_table_find, weighted_table_init,
)

cdef enum:
    TRIED_MOST = 16


cdef ClusterC* cluster_at(Snapshot snapshot, uint32_t cluster) except NULL:
    if cluster >= snapshot.table.cluster_count:
        raise IndexError(cluster)
    return &snapshot.table.clusters[cluster]


cdef EndpointC* endpoint_at(Snapshot snapshot, uint32_t cluster, uint32_t endpoint) except NULL:
    cdef ClusterC* table = cluster_at(snapshot, cluster)
    if endpoint >= table.endpoint_count:
        raise IndexError(endpoint)
    return &table.endpoints[endpoint]


cdef PickContextC new_context(hash, now_ms, uint32_t subset) except *:
    cdef PickContextC context
    memset(&context, 0, sizeof(context))
    context.hashed = hash is not None
    context.hash = 0 if hash is None else <uint64_t>hash
    context.now_ms = coarse_clock_ms() if now_ms is None else <int64_t>now_ms
    context.subset = subset
    return context


def pick_endpoint(
    Snapshot snapshot not None, uint32_t cluster=0, uint32_t worker=0, *, hash=None, tried=(), now_ms=None,
    uint32_t subset=0
):
    """The name of the endpoint that is picked for that worker, or None. `tried`: indexes of endpoints to avoid."""
    cdef ClusterC* table = cluster_at(snapshot, cluster)
    cdef EndpointC* avoided[TRIED_MOST]
    cdef PickContextC context = new_context(hash, now_ms, subset)
    cdef EndpointC* endpoint
    for index in tried[:TRIED_MOST]:
        avoided[context.tried_count] = endpoint_at(snapshot, cluster, index)
        context.tried_count += 1
    context.tried = avoided
    endpoint = cluster_pick(table, worker, &context)
    return None if endpoint == NULL else endpoint.name.text[:endpoint.name.size].decode()


def count_picks(
    Snapshot snapshot not None, uint32_t cluster=0, uint32_t worker=0, *, uint64_t count, bint hashed=False,
    now_ms=None, uint32_t subset=0, bint hold=False
):
    """How many of `count` picks each endpoint gets, and how many found none: a list, one number longer.

    `hashed`: each pick goes by another random hash, otherwise by none. `hold`: a picked endpoint is one connection
    busier from then on.
    """
    cdef ClusterC* table = cluster_at(snapshot, cluster)
    cdef PickContextC context = new_context(0 if hashed else None, now_ms, subset)
    cdef uint64_t* counts = <uint64_t*>memory_alloc((table.endpoint_count + <size_t>1) * sizeof(uint64_t))
    cdef uint64_t random = 1
    cdef uint64_t _pick
    cdef EndpointC* endpoint
    if counts == NULL:
        raise MemoryError()
    with nogil:
        for _pick in range(count):
            context.hash = random_next(&random)
            endpoint = cluster_pick(table, worker, &context)
            counts[table.endpoint_count if endpoint == NULL else endpoint - table.endpoints] += 1
            if hold and endpoint != NULL:
                endpoint.state.active += 1
    try:
        return [counts[index] for index in range(table.endpoint_count + 1)]
    finally:
        memory_free(counts)


def list_picks(Snapshot snapshot not None, uint32_t cluster=0, uint32_t worker=0, *, hashes=None, count=None):
    """The indexes of the endpoints that are picked in succession, for each of `hashes`, or `count` without one."""
    cdef ClusterC* table = cluster_at(snapshot, cluster)
    cdef PickContextC context = new_context(None, None, 0)
    cdef EndpointC* endpoint
    cdef list picked = []
    for hash in hashes if hashes is not None else [None] * count:
        context.hashed = hash is not None
        context.hash = hash or 0
        endpoint = cluster_pick(table, worker, &context)
        picked.append(None if endpoint == NULL else endpoint - table.endpoints)
    return picked


def pick_many(Snapshot snapshot not None, uint32_t cluster, uint32_t worker, uint64_t count):
    """Nanoseconds that one of `count` picks takes, without the GIL, each by another hash, active counts as they are."""
    cdef ClusterC* table = cluster_at(snapshot, cluster)
    cdef PickContextC context = new_context(0, None, 0)
    cdef uint64_t random = 1
    cdef uint64_t found = 0
    cdef uint64_t _pick
    cdef int64_t begun_us
    with nogil:
        begun_us = monotonic_us()
        for _pick in range(count):
            context.hash = random_next(&random)
            found += cluster_pick(table, worker, &context) != NULL
        begun_us = monotonic_us() - begun_us
    if found != count:
        raise ValueError(f"only {found} of {count} picks found an endpoint")
    return begun_us * 1000.0 / count


def set_endpoint(
    Snapshot snapshot not None, uint32_t cluster, uint32_t endpoint, *, active=None, unhealthy=None,
    healthy_since_ms=None
):
    """Change what is known of an endpoint at run time."""
    cdef EndpointC* table = endpoint_at(snapshot, cluster, endpoint)
    if active is not None:
        table.state.active = active
    if healthy_since_ms is not None:
        table.state.healthy_since_ms = healthy_since_ms
        cluster_at(snapshot, cluster).state.generation += 1
    if unhealthy is not None:
        endpoint_mark(cluster_at(snapshot, cluster).state, table.state, 1, unhealthy)


def observe_connect(
    Snapshot snapshot not None, uint32_t cluster, uint32_t endpoint, int64_t duration_us, int64_t now_ms
):
    cluster_observe(cluster_at(snapshot, cluster), endpoint_at(snapshot, cluster, endpoint), duration_us, now_ms)


# --- the parts that picks are made of ---

def estimate_pack(double round_trip_us, int64_t now_ms):
    return peak_ewma.estimate_pack(round_trip_us, now_ms)


def estimate_at(uint64_t estimate, int64_t now_ms, double decay_ms):
    return peak_ewma.estimate_at(estimate, now_ms, decay_ms)


def estimate_update(uint64_t estimate, double sample_us, int64_t now_ms, double decay_ms):
    return peak_ewma.estimate_update(estimate, sample_us, now_ms, decay_ms)


def hash_bytes(bytes data not None, uint64_t seed=0):
    return hashing.hash_bytes(<const char*>data, len(data), seed)


def priority_load(healthy, uint32_t overprovisioning_percent=140, uint32_t panic_threshold_percent=50):
    """For (healthy, all) endpoints of each level: the levels' shares in percent, and whether each is in panic."""
    cdef LevelLoadC levels[8]
    cdef uint32_t count = min(len(healthy), 8)
    for index, (few, many) in enumerate(healthy[:8]):
        levels[<uint32_t>index].healthy_count = few
        levels[<uint32_t>index].member_count = many
    priority_load_module.priority_load(levels, count, overprovisioning_percent, panic_threshold_percent)
    return [levels[index].load_percent for index in range(count)], [bool(levels[index].panic) for index in range(count)]


def slow_start_factor(int64_t healthy_ms, int64_t window_ms, double aggression=1, double least=0.1):
    cdef BalancerSettingsC settings
    memset(&settings, 0, sizeof(settings))
    settings.slow_start_window_ms = window_ms
    settings.slow_start_exponent = 1 / aggression
    settings.slow_start_least = least
    return slow_start.slow_start_factor(&settings, healthy_ms)


def weighted_find(weights, numbers):
    """The entries that the numbers belong to; None when the weights come to nothing."""
    cdef WeightedTableC table
    cdef uint32_t count = len(weights)
    cdef void* memory = memory_alloc(weighted_table_bytes(count))
    cdef double* doubles = <double*>memory_alloc(count * sizeof(double))
    if memory == NULL or doubles == NULL:
        memory_free(memory)
        memory_free(doubles)
        raise MemoryError()
    try:
        for index, weight in enumerate(weights):
            doubles[<uint32_t>index] = weight
        weighted_table_init(&table, count, memory)
        weighted_table_build(&table, doubles, count)
        return [weighted_table_find(&table, number) for number in numbers] if table.count else None
    finally:
        memory_free(memory)
        memory_free(doubles)

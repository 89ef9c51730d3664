"""What one worker sees of a subset; the contract stands in view.pxd."""

from libc.stdint cimport INT64_MAX, uint32_t
from mesh_core.includes.atomic cimport load_acquire_u64, load_relaxed_i64, load_relaxed_u32
from mesh_core.runtime.clock cimport coarse_clock_ms
from mesh_core.snapshot.tables cimport EndpointC, LevelC, LevelTableC, PoolC
from mesh_core.upstream.hashing cimport GOLDEN_STEP, mix_bits
from mesh_core.upstream.priority_load cimport LevelLoadC, priority_load
from mesh_core.upstream.slow_start cimport slow_start_factor, slow_start_interval_ms
from mesh_core.upstream.weighted_table cimport (
    weighted_table_build, weighted_table_bytes, weighted_table_init,
)


# --- memory: everything of a view lies in one block ---

cdef size_t aligned(size_t bytes) noexcept nogil:
    return (bytes + 7) & ~<size_t>7


cdef uint32_t largest_count(const SubsetC* subset) noexcept nogil:
    """How many weights are computed at one time, at most."""
    cdef uint32_t most = 0
    cdef uint32_t level, pool
    for level in range(subset.level_count):
        most = max(most, subset.levels[level].pool_count)
        for pool in range(subset.levels[level].pool_count):
            most = max(most, subset.levels[level].pools[pool].member_count)
    return most


cdef size_t view_bytes(const SubsetC* subset) noexcept nogil:
    cdef size_t bytes = largest_count(subset) * sizeof(double) + aligned(subset.level_count * sizeof(LevelLoadC))
    cdef uint32_t level, pool
    for level in range(subset.level_count):
        bytes += sizeof(LevelC) + aligned(weighted_table_bytes(subset.levels[level].pool_count))
        for pool in range(subset.levels[level].pool_count):
            bytes += sizeof(PoolC) + subset.levels[level].pools[pool].member_count * sizeof(void*)
            bytes += aligned(weighted_table_bytes(subset.levels[level].pools[pool].member_count))
    return bytes


cdef inline void* take(char** memory, size_t bytes) noexcept nogil:
    cdef void* taken = memory[0]
    memory[0] += aligned(bytes)
    return taken


cdef void view_init(ViewC* view, const ClusterC* cluster, const SubsetC* subset, void* memory, uint64_t seed) \
        noexcept nogil:
    cdef char* free = <char*>memory
    cdef uint32_t index
    view.subset = subset
    view.random = mix_bits(seed + 1)
    view.levels = <LevelC*>take(&free, subset.level_count * sizeof(LevelC))
    view.loads = <LevelLoadC*>take(&free, subset.level_count * sizeof(LevelLoadC))
    view.scratch = <double*>take(&free, largest_count(subset) * sizeof(double))
    for index in range(subset.level_count):
        init_level(&view.levels[index], &subset.levels[index], &free, seed)
    view_refresh(view, cluster, coarse_clock_ms())


cdef void init_level(LevelC* level, const LevelTableC* table, char** free, uint64_t seed) noexcept nogil:
    cdef PoolC* pool
    cdef uint32_t index
    level.pools = <PoolC*>take(free, table.pool_count * sizeof(PoolC))
    level.pool_count = table.pool_count
    level.turn = seed * <uint64_t>GOLDEN_STEP
    weighted_table_init(&level.localities, table.pool_count, take(free, weighted_table_bytes(table.pool_count)))
    for index in range(table.pool_count):
        pool = &level.pools[index]
        pool.table = &table.pools[index]
        pool.turn = seed
        pool.eligible = <EndpointC**>take(free, pool.table.member_count * sizeof(void*))
        weighted_table_init(
            &pool.weights, pool.table.member_count, take(free, weighted_table_bytes(pool.table.member_count)))


# --- refresh ---

cdef void view_refresh(ViewC* view, const ClusterC* cluster, int64_t now_ms) noexcept nogil:
    cdef uint32_t index
    # Read before the healths: a change that comes meanwhile is a reason to look again.
    view.generation = load_acquire_u64(&cluster.state.generation)
    view.refresh_at_ms = INT64_MAX
    for index in range(view.subset.level_count):
        view.loads[index].member_count = view.subset.levels[index].member_count
        view.loads[index].healthy_count = gather_healthy(&view.levels[index])
    priority_load(view.loads, view.subset.level_count, cluster.balancing.overprovisioning_percent,
                  cluster.balancing.panic_threshold_percent)
    for index in range(view.subset.level_count):
        view.levels[index].load_percent = view.loads[index].load_percent
        view.levels[index].panic = view.loads[index].panic
        refresh_level(view, &view.levels[index], cluster, now_ms)
    view.only = only_pool(view)


cdef uint32_t gather_healthy(LevelC* level) noexcept nogil:
    """Fill every pool's `eligible` with its healthy members; their number in all pools."""
    cdef uint32_t count = 0
    cdef uint32_t index, member
    cdef PoolC* pool
    cdef EndpointC* endpoint
    for index in range(level.pool_count):
        pool = &level.pools[index]
        pool.eligible_count = 0
        for member in range(pool.table.member_count):
            endpoint = pool.table.members[member]
            if not load_relaxed_u32(&endpoint.state.unhealthy):
                pool.eligible[pool.eligible_count] = endpoint
                pool.eligible_count += 1
        count += pool.eligible_count
    return count


cdef void refresh_level(ViewC* view, LevelC* level, const ClusterC* cluster, int64_t now_ms) noexcept nogil:
    cdef uint32_t index, member
    cdef PoolC* pool
    for index in range(level.pool_count):
        pool = &level.pools[index]
        pool.panic = level.panic
        if level.panic:
            pool.eligible_count = pool.table.member_count
            for member in range(pool.table.member_count):
                pool.eligible[member] = pool.table.members[member]
        weigh_pool(view, pool, cluster, now_ms)
    for index in range(level.pool_count):
        view.scratch[index] = locality_weight(&level.pools[index], cluster.balancing.overprovisioning_percent)
    weighted_table_build(&level.localities, view.scratch, level.pool_count)


cdef double locality_weight(const PoolC* pool, uint32_t overprovisioning_percent) noexcept nogil:
    """Envoy's effective weight of a locality: its weight times its availability, at most 100 percent."""
    return <double>pool.table.locality_weight * min(
        100.0, <double>overprovisioning_percent * pool.eligible_count / pool.table.member_count)


cdef void weigh_pool(ViewC* view, PoolC* pool, const ClusterC* cluster, int64_t now_ms) noexcept nogil:
    """Compute what each eligible endpoint weighs now; a table only if they differ."""
    cdef const EndpointC* endpoint
    cdef int64_t healthy_ms
    cdef uint32_t index
    pool.weighted = False
    # The lookups of balancers that hash have the weights in them.
    if cluster.balancer.build != NULL:
        return
    if not cluster.balancing.weighted and not cluster.balancing.slow_start_window_ms:
        return
    for index in range(pool.eligible_count):
        endpoint = pool.eligible[index]
        view.scratch[index] = endpoint.weight
        if cluster.balancing.slow_start_window_ms:
            healthy_ms = now_ms - load_relaxed_i64(&endpoint.state.healthy_since_ms)
            if healthy_ms < cluster.balancing.slow_start_window_ms:
                view.scratch[index] *= slow_start_factor(&cluster.balancing, healthy_ms)
                view.refresh_at_ms = now_ms + slow_start_interval_ms(&cluster.balancing)
        pool.weighted = pool.weighted or view.scratch[index] != view.scratch[0]
    if pool.weighted:
        weighted_table_build(&pool.weights, view.scratch, pool.eligible_count)


cdef PoolC* only_pool(ViewC* view) noexcept nogil:
    """The pool that takes every pick; NULL when there are several, or none."""
    cdef uint32_t index
    for index in range(view.subset.level_count):
        if view.levels[index].load_percent == 100:
            if view.levels[index].pool_count == 1 and view.levels[index].pools[0].eligible_count:
                return &view.levels[index].pools[0]
            return NULL
    return NULL

"""Choosing the endpoint for one connection; the contract stands in pick.pxd."""

from libc.stdint cimport uint64_t
from mesh_core.includes.atomic cimport exchange_i64, load_acquire_u64, load_relaxed_i64
from mesh_core.snapshot.tables cimport LevelC, PoolTableC, SubsetC, ViewC
from mesh_core.telemetry.stats cimport CLUSTER_LB_HEALTHY_PANIC, OUTLIER_PROBES
from mesh_core.upstream.hashing cimport GOLDEN_STEP, mix_bits, random_next
from mesh_core.upstream.outlier_detection cimport outlier_awaits_probe, outlier_expect_probe, outlier_probe
from mesh_core.upstream.view cimport view_refresh
from mesh_core.upstream.weighted_table cimport weighted_table_find

cdef enum:
    PROBE_PAUSE_MS = 50        # between two looks for an endpoint to try


cdef EndpointC* cluster_pick(const ClusterC* cluster, uint32_t worker, const PickContextC* context) noexcept nogil:
    cdef PickContextC own
    cdef ViewC* view
    cdef PoolC* pool
    cdef EndpointC* endpoint
    if context.subset >= cluster.subset_count:
        return NULL
    view = &cluster.views[worker][context.subset]
    if view.generation != load_acquire_u64(&cluster.state.generation) or context.now_ms >= view.refresh_at_ms:
        view_refresh(view, cluster, context.now_ms)
    # A second attempt is to succeed, not to try who has failed.
    if cluster.outlier.accrual.min_penalty_ms and not context.tried_count and (
            outlier_awaits_probe(cluster.state, context.now_ms)):
        endpoint = probe(cluster, view.subset, worker, context.now_ms)
        if endpoint != NULL:
            return endpoint
    if not context.hashed and cluster.balancer.build != NULL:
        own = context[0]
        own.hash = random_next(&view.random)
        context = &own
    pool = view.only
    if pool == NULL:
        pool = choose_pool(view, cluster, context)
        if pool == NULL:
            return NULL
    if pool.panic:
        cluster.stats[worker][CLUSTER_LB_HEALTHY_PANIC] += 1
    endpoint = cluster.balancer.pick(&cluster.balancing, pool, &view.random, context)
    if context.tried_count and pick_was_tried(context, endpoint):
        return pick_another(view, pool, endpoint, context)
    return endpoint


cdef EndpointC* probe(const ClusterC* cluster, const SubsetC* subset, uint32_t worker, int64_t now_ms) noexcept nogil:
    """An ejected endpoint of the subset that it is time to try; NULL when somebody else does, or there is none."""
    cdef EndpointC* found
    cdef int64_t at_ms, next_ms = 0
    cdef uint32_t index
    # Before the endpoints are looked at: an ejection from here on sets it again.
    exchange_i64(&cluster.state.probe_at_ms, 0)
    found = take_probe(cluster, subset, now_ms)
    for index in range(cluster.endpoint_count):
        at_ms = load_relaxed_i64(&cluster.endpoints[index].state.probe_at_ms)
        if at_ms and (not next_ms or at_ms < next_ms):
            next_ms = at_ms
    if next_ms:
        outlier_expect_probe(cluster.state, max(next_ms, now_ms + PROBE_PAUSE_MS))
    if found != NULL:
        cluster.outlier_stats[worker][OUTLIER_PROBES] += 1
    return found


cdef EndpointC* take_probe(const ClusterC* cluster, const SubsetC* subset, int64_t now_ms) noexcept nogil:
    cdef const PoolTableC* pool
    cdef uint32_t level, place, member
    for level in range(subset.level_count):
        for place in range(subset.levels[level].pool_count):
            pool = &subset.levels[level].pools[place]
            for member in range(pool.member_count):
                if outlier_probe(&cluster.outlier, pool.members[member].state, now_ms):
                    return pool.members[member]
    return NULL


cdef PoolC* choose_pool(ViewC* view, const ClusterC* cluster, const PickContextC* context) noexcept nogil:
    """By the levels' shares, then by the localities' weights; NULL when nobody has a share."""
    cdef bint hashes = cluster.balancer.build != NULL
    cdef uint64_t number = context.hash if hashes else random_next(&view.random)
    cdef uint32_t place = <uint32_t>(number % 100)
    cdef LevelC* level
    cdef uint32_t index
    for index in range(view.subset.level_count):
        level = &view.levels[index]
        if place < level.load_percent:
            return choose_locality(level, hashes, number)
        place -= level.load_percent
    return NULL


cdef PoolC* choose_locality(LevelC* level, bint hashes, uint64_t number) noexcept nogil:
    if level.localities.count == 0:
        return NULL
    if hashes:
        # Other bits than those that choose within the locality.
        return &level.pools[weighted_table_find(&level.localities, mix_bits(number))]
    level.turn += <uint64_t>GOLDEN_STEP
    return &level.pools[weighted_table_find(&level.localities, level.turn)]


cdef EndpointC* pick_another(
    ViewC* view, PoolC* pool, EndpointC* picked, const PickContextC* context
) noexcept nogil:
    """One that was not tried: of the same pool, else of any other, highest priority first; else `picked` again."""
    cdef EndpointC* other = untried(pool, &view.random, context)
    cdef LevelC* level
    cdef uint32_t index, place
    for index in range(view.subset.level_count):
        level = &view.levels[index]
        for place in range(level.pool_count):
            if other != NULL:
                return other
            other = untried(&level.pools[place], &view.random, context)
    return picked if other == NULL else other


cdef EndpointC* untried(PoolC* pool, uint64_t* random, const PickContextC* context) noexcept nogil:
    """Of one more endpoints than were tried, one was not: so this takes no longer with many of them."""
    cdef uint32_t place, _step
    if pool.eligible_count == 0:
        return NULL
    place = <uint32_t>(random_next(random) % pool.eligible_count)
    for _step in range(min(pool.eligible_count, context.tried_count + 1)):
        if not pick_was_tried(context, pool.eligible[place]):
            return pool.eligible[place]
        place += 1
        if place == pool.eligible_count:
            place = 0
    return NULL

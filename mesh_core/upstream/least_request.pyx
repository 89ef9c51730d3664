"""Least request; the contract stands in least_request.pxd."""

from libc.math cimport pow
from libc.stdint cimport uint32_t, uint64_t
from mesh_core.includes.atomic cimport load_relaxed_u64
from mesh_core.snapshot.tables cimport BalancerSettingsC, EndpointC, PickContextC, PoolC
from mesh_core.upstream.hashing cimport random_next
from mesh_core.upstream.random_choice cimport pool_draw, pool_draw_other


cdef EndpointC* pick(
    const BalancerSettingsC* settings, PoolC* pool, uint64_t* random, const PickContextC* context
) noexcept nogil:
    if pool.weighted:
        return draw_by_load(settings, pool, random)
    return fewest_active(settings, pool, random)


cdef EndpointC* fewest_active(const BalancerSettingsC* settings, const PoolC* pool, uint64_t* random) noexcept nogil:
    cdef EndpointC* best = pool_draw(pool, random)
    cdef uint64_t active = load_relaxed_u64(&best.state.active)
    cdef EndpointC* first = best
    cdef EndpointC* other
    cdef uint64_t of_other
    cdef uint32_t _draw
    for _draw in range(settings.choice_count - 1):
        other = pool_draw_other(pool, random, first)
        of_other = load_relaxed_u64(&other.state.active)
        if of_other < active:
            best = other
            active = of_other
    return best


cdef EndpointC* draw_by_load(const BalancerSettingsC* settings, const PoolC* pool, uint64_t* random) noexcept nogil:
    """Each new candidate replaces the one before with the chance that its share of the sum says."""
    cdef EndpointC* chosen = pool_draw(pool, random)
    cdef double sum = idleness(settings, chosen)
    cdef EndpointC* other
    cdef double share
    cdef uint32_t _draw
    for _draw in range(settings.choice_count - 1):
        other = pool_draw(pool, random)
        share = idleness(settings, other)
        sum += share
        if (random_next(random) >> 11) * (1.0 / 9007199254740992.0) * sum < share:
            chosen = other
    return chosen


cdef inline double idleness(const BalancerSettingsC* settings, const EndpointC* endpoint) noexcept nogil:
    cdef double active = <double>load_relaxed_u64(&endpoint.state.active) + 1
    if settings.active_request_bias == 1.0:
        return 1.0 / active
    return pow(active, -settings.active_request_bias)


LEAST_REQUEST.pick = pick

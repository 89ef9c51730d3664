"""Peak EWMA; the contract stands in peak_ewma.pxd."""

from libc.math cimport exp
from libc.stdint cimport uint32_t
from libc.string cimport memcpy
from mesh_core.includes.atomic cimport (
    compare_exchange_u64, load_relaxed_i64, load_relaxed_u64,
)
from mesh_core.snapshot.tables cimport BalancerSettingsC, EndpointC, PickContextC, PoolC
from mesh_core.upstream.random_choice cimport pool_draw, pool_draw_other


cdef EndpointC* pick(
    const BalancerSettingsC* settings, PoolC* pool, uint64_t* random, const PickContextC* context
) noexcept nogil:
    cdef EndpointC* first = pool_draw(pool, random)
    cdef EndpointC* second = pool_draw_other(pool, random, first)
    if second == first or cost(settings, first, context.now_ms) <= cost(settings, second, context.now_ms):
        return first
    return second


cdef double cost(const BalancerSettingsC* settings, const EndpointC* endpoint, int64_t now_ms) noexcept nogil:
    return estimate_at(estimate_of(endpoint), now_ms, settings.decay_ms) * (
        <double>load_relaxed_u64(&endpoint.state.active) + 1)


cdef uint64_t estimate_of(const EndpointC* endpoint) noexcept nogil:
    cdef uint64_t estimate = load_relaxed_u64(&endpoint.state.round_trip)
    if estimate:
        return estimate
    return estimate_pack(INITIAL_US, load_relaxed_i64(&endpoint.state.healthy_since_ms))


cdef void observe(
    const BalancerSettingsC* settings, EndpointC* endpoint, int64_t duration_us, int64_t now_ms
) noexcept nogil:
    cdef uint64_t before = load_relaxed_u64(&endpoint.state.round_trip)
    cdef uint64_t after
    while True:
        # The first sample is the estimate: what was assumed before it is no measurement.
        after = estimate_pack(duration_us, now_ms)
        if before:
            after = estimate_update(before, duration_us, now_ms, settings.decay_ms)
        if compare_exchange_u64(&endpoint.state.round_trip, &before, after):
            return


cdef uint64_t estimate_pack(double round_trip_us, int64_t now_ms) noexcept nogil:
    # At least one microsecond: a word of 0 says that there is no estimate.
    cdef float value = <float>max(round_trip_us, 1.0)
    cdef uint32_t bits
    memcpy(&bits, &value, sizeof(bits))
    return <uint64_t>bits << 32 | <uint32_t>now_ms


cdef double estimate_value(uint64_t estimate) noexcept nogil:
    cdef uint32_t bits = <uint32_t>(estimate >> 32)
    cdef float value
    memcpy(&value, &bits, sizeof(value))
    return value


cdef double remaining(uint64_t estimate, int64_t now_ms, double decay_ms) noexcept nogil:
    """What is left of an estimate's weight: e^(-elapsed/decay)."""
    cdef uint32_t elapsed_ms = <uint32_t>now_ms - <uint32_t>estimate
    # Another worker's clock may be a little ahead.
    return 1.0 if elapsed_ms > <uint32_t>0x7FFFFFFF else exp(-<double>elapsed_ms / decay_ms)


cdef double estimate_at(uint64_t estimate, int64_t now_ms, double decay_ms) noexcept nogil:
    return estimate_value(estimate) * remaining(estimate, now_ms, decay_ms)


cdef uint64_t estimate_update(uint64_t estimate, double sample_us, int64_t now_ms, double decay_ms) noexcept nogil:
    cdef double before = estimate_value(estimate)
    cdef double left
    if sample_us >= before:
        return estimate_pack(sample_us, now_ms)
    left = remaining(estimate, now_ms, decay_ms)
    return estimate_pack(before * left + sample_us * (1 - left), now_ms)


PEAK_EWMA.pick = pick
PEAK_EWMA.observe = observe

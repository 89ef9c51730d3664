"""Slow start; the contract stands in slow_start.pxd."""

from libc.math cimport pow

cdef enum:
    STEPS = 50                 # in one window: 2 % more weight each
    INTERVAL_LEAST_MS = 50
    INTERVAL_MOST_MS = 1000


cdef double slow_start_factor(const BalancerSettingsC* settings, int64_t healthy_ms) noexcept nogil:
    if healthy_ms >= settings.slow_start_window_ms:
        return 1.0
    # Envoy counts at least one millisecond.
    return max(settings.slow_start_least,
               pow(max(healthy_ms, <int64_t>1) / <double>settings.slow_start_window_ms, settings.slow_start_exponent))


cdef int64_t slow_start_interval_ms(const BalancerSettingsC* settings) noexcept nogil:
    return min(max(settings.slow_start_window_ms // STEPS, <int64_t>INTERVAL_LEAST_MS), <int64_t>INTERVAL_MOST_MS)

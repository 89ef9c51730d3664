"""Slow start: an endpoint that has just joined or recovered begins with a part of its weight. Pure, no GIL."""

from libc.stdint cimport int64_t
from mesh_core.snapshot.tables cimport BalancerSettingsC


# What an endpoint's weight is multiplied by, `healthy_ms` after it joined or was found healthy again: Envoy's
# max(minimum weight, (healthy / window) ^ (1 / aggression)), and 1 once the window is over.
cdef double slow_start_factor(const BalancerSettingsC* settings, int64_t healthy_ms) noexcept nogil

# After how many milliseconds weights are worth computing again, while an endpoint is in its window.
cdef int64_t slow_start_interval_ms(const BalancerSettingsC* settings) noexcept nogil

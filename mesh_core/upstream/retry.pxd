"""Whether and when a failed connect is tried again: back-off and retry budget. No I/O.

Any worker, no GIL.
"""

from libc.stdint cimport uint32_t, uint64_t
from mesh_core.upstream.endpoint_state cimport ClusterStateC

cdef enum:
    ATTEMPTS_MOST = 10         # of one connection; the configuration's bound, too
    INTERVAL_GROWTH = 10       # the longest interval, in base intervals


cdef struct RetryPolicyC:
    uint32_t max_attempts      # the first one included; 1: no retries
    uint32_t base_interval_ms
    uint32_t budget_percent    # of the cluster's connections, open and being opened
    uint32_t min_concurrency   # retries that are allowed whatever the percentage gives


# Milliseconds to wait before retry number `retry` (from 1): full jitter over an interval that begins at the base and
# doubles up to ten times that. Source: Envoy, JitteredExponentialBackOffStrategy (its code, not its documentation).
cdef uint32_t retry_interval_ms(const RetryPolicyC* policy, uint32_t retry, uint64_t random) noexcept nogil

# Count one more retry of the cluster; False when that would pass its budget, which is the larger of
# `min_concurrency` and `budget_percent` of its connections. Source: Envoy, CircuitBreakers.Thresholds.RetryBudget.
cdef bint retry_enter(const RetryPolicyC* policy, ClusterStateC* cluster) noexcept nogil
cdef void retry_leave(ClusterStateC* cluster) noexcept nogil

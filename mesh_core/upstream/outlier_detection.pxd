"""Outlier detection as workers take part in it: results are noted, and failures in a row eject at once. No I/O.

What is judged over an interval (success rate, failure percentage) and when an endpoint returns is decided by the
control thread, in mesh_core.control.upstream_health. Any thread, no GIL.
"""

from libc.stdint cimport int64_t, uint32_t, uint64_t
from mesh_core.upstream.endpoint_state cimport ClusterStateC, EndpointStateC


cdef struct OutlierPolicyC:
    uint32_t consecutive_failures  # failed connects in a row that make an outlier; 0: no outlier detection
    uint32_t enforcing_percent     # of the outliers that are ejected for failures in a row
    uint32_t max_ejected           # endpoints of the cluster that may be ejected at one time
    uint32_t base_ejection_time_ms
    uint32_t max_ejection_time_ms
    uint32_t max_jitter_ms


cdef enum Verdict:
    VERDICT_NONE               # no outlier, or ejected already
    VERDICT_TOLERATED          # an outlier, which the enforcing percentage let go
    VERDICT_OVERFLOW           # an outlier, but enough are ejected
    VERDICT_EJECTED


cdef void outlier_connect_succeeded(const OutlierPolicyC* policy, EndpointStateC* endpoint) noexcept nogil

# `now_ms`: coarse monotonic clock. `random`: for chance and jitter.
cdef Verdict outlier_connect_failed(
    const OutlierPolicyC* policy, ClusterStateC* cluster, EndpointStateC* endpoint, int64_t now_ms, uint64_t random
) noexcept nogil

# Treat an endpoint as an outlier, `enforcing_percent` of the time.
cdef Verdict outlier_judge(
    const OutlierPolicyC* policy, ClusterStateC* cluster, EndpointStateC* endpoint, uint32_t enforcing_percent,
    int64_t now_ms, uint64_t random
) noexcept nogil

# Let an endpoint return; False when it was not ejected.
cdef bint outlier_uneject(ClusterStateC* cluster, EndpointStateC* endpoint) noexcept nogil


# The same rules as a Python object, from which the compiler and the control thread's sweeps take them.
cdef class OutlierPolicy:
    cdef OutlierPolicyC policy

"""Outlier detection as workers take part in it: results are noted, and failures in a row eject at once. No I/O.

What is judged over an interval (success rate, failure percentage) and when the time of an ejection is over is decided
by the control thread, in mesh_core.control.upstream_health. With *accrual* an ejection has no end of its own: after a
penalty, one request tries the endpoint (`outlier_probe`), and the result of that lets it return or begins a longer
penalty. Any thread, no GIL.
"""

from libc.stdint cimport int64_t, uint32_t, uint64_t
from mesh_core.includes.atomic cimport load_relaxed_i64, load_relaxed_u32
from mesh_core.upstream.endpoint_state cimport ROW_COUNT, ClusterStateC, EndpointStateC


cdef struct RowRuleC:
    uint32_t failures          # in a row that make an outlier; 0: the rule is off
    uint32_t enforcing_percent  # of those outliers that are ejected


cdef struct AccrualC:
    uint32_t min_penalty_ms    # 0: no accrual
    uint32_t max_penalty_ms
    uint32_t jitter_percent    # by which a penalty lasts longer at most


cdef struct OutlierPolicyC:
    bint enabled
    bint split                 # local-origin failures of requests have a row of their own
    RowRuleC rows[ROW_COUNT]   # by EjectionRow
    uint32_t max_ejected       # endpoints of the cluster that may be ejected at one time
    uint32_t base_ejection_time_ms
    uint32_t max_ejection_time_ms
    uint32_t max_jitter_ms
    AccrualC accrual


# What came of an attempt at an endpoint.
cdef enum OutlierResult:
    RESULT_CONNECTED           # of TCP
    RESULT_CONNECT_FAILED      # of TCP
    RESULT_ANSWERED            # a request, by a status below 500
    RESULT_ERROR               # by one from 500 on
    RESULT_GATEWAY_ERROR       # by 502, 503 or 504, or by what is no response
    RESULT_LOCAL_FAILURE       # a request got no answer: no connection, a time-out, a reset


cdef enum Verdict:
    VERDICT_NONE               # no outlier, or ejected already
    VERDICT_TOLERATED          # an outlier, which the enforcing percentage let go
    VERDICT_OVERFLOW           # an outlier, but enough are ejected
    VERDICT_EJECTED


# Where a result is noted. Everything is borrowed for the call.
cdef struct OutlierSiteC:
    const OutlierPolicyC* policy
    ClusterStateC* cluster
    EndpointStateC* endpoint
    uint64_t* stats            # OutlierStat words of the worker
    int64_t now_ms             # coarse monotonic clock
    uint64_t random            # for chance and jitter


# Note a result, and count what follows. True when the endpoint was ejected by it, or has returned.
cdef bint outlier_note(const OutlierSiteC* site, OutlierResult result) noexcept nogil

# Whether RESULT_ANSWERED would change anything; the answer of nearly every request is no.
cdef inline bint outlier_is_moved_by_success(const EndpointStateC* endpoint) noexcept nogil:
    cdef int row
    for row in range(ROW_COUNT):
        if load_relaxed_u32(&endpoint.consecutive[row]):
            return True
    return load_relaxed_u32(&endpoint.probing) != 0

# Treat an endpoint as an outlier, `enforcing_percent` of the time.
cdef Verdict outlier_judge(const OutlierSiteC* site, uint32_t enforcing_percent) noexcept nogil

# Let an endpoint return; False when it was not ejected.
cdef bint outlier_uneject(ClusterStateC* cluster, EndpointStateC* endpoint) noexcept nogil

# Whether an endpoint may await a probing request: `outlier_probe` is worth asking.
cdef inline bint outlier_awaits_probe(const ClusterStateC* cluster, int64_t now_ms) noexcept nogil:
    cdef int64_t at_ms = load_relaxed_i64(&cluster.probe_at_ms)
    return at_ms != 0 and at_ms <= now_ms

# Be the one who tries this endpoint; False unless its penalty is over and nobody else is trying. Without a result the
# place is free again after another penalty, however the request ends.
cdef bint outlier_probe(const OutlierPolicyC* policy, EndpointStateC* endpoint, int64_t now_ms) noexcept nogil

# An endpoint awaits a probe from `at_ms` on.
cdef void outlier_expect_probe(ClusterStateC* cluster, int64_t at_ms) noexcept nogil

# How long penalty number `penalties` (from 0) lasts: doubled each time, up to the longest, and jitter. Source:
# Linkerd, "Circuit breaking", and its exponential back-off.
cdef uint32_t accrual_penalty_ms(const AccrualC* accrual, uint32_t penalties, uint64_t random) noexcept nogil


# The same rules as a Python object, from which the compiler and the control thread's sweeps take them.
cdef class OutlierPolicy:
    cdef OutlierPolicyC policy

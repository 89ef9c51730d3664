"""Conditions, back-off and budget; the contract stands in retry.pxd."""

from mesh_core.includes.atomic cimport compare_exchange_u64, fetch_add_u64, fetch_sub_u64, load_relaxed_u64
from mesh_core.snapshot.shared_count cimport shared_count_enter
from mesh_core.upstream.endpoint_state cimport BREAKER_COUNT


cdef uint32_t retry_interval_ms(const RetryPolicyC* policy, uint32_t retry, uint64_t random) noexcept nogil:
    cdef uint64_t bound = policy.base_interval_ms
    cdef uint32_t _step
    for _step in range(1, min(retry, <uint32_t>ATTEMPTS_MOST)):
        bound = bound * 2 if bound < policy.max_interval_ms // 2 else policy.max_interval_ms
    return <uint32_t>(random % min(bound, <uint64_t>policy.max_interval_ms))


cdef uint64_t retry_active(const uint64_t* counts) noexcept nogil:
    cdef uint64_t active = 0
    cdef int priority
    for priority in range(BREAKER_COUNT):
        active += load_relaxed_u64(&counts[priority])
    return active


cdef int64_t retry_after_interval_ms(int64_t after_ms, uint64_t random) noexcept nogil:
    return after_ms + <int64_t>(random % (<uint64_t>after_ms // 2 + 1))


cdef bint retry_enter(const RetryPolicyC* policy, uint64_t* retries, uint64_t active) noexcept nogil:
    cdef uint64_t limit = max(active * policy.budget_percent // 100, <uint64_t>policy.min_concurrency)
    # To a shared count, 0 means no limit.
    return limit > 0 and shared_count_enter(retries, limit)


cdef bint retry_charge(
    const RetryPolicyC* policy, ClusterStateC* cluster, uint64_t requests, uint64_t active
) noexcept nogil:
    cdef uint64_t percent = policy.budget_percent if policy.budget_percent else <uint64_t>CREDIT_PERCENT
    cdef uint64_t reserve = max(active * percent // 200, <uint64_t>CREDIT_RESERVE)
    cdef uint64_t earned = requests * percent // 200
    cdef uint64_t charged = load_relaxed_u64(&cluster.retries_charged)
    if charged < earned and compare_exchange_u64(&cluster.retries_charged, &charged, earned):
        # What was earned and not used in good times is no licence for bad ones.
        charged = earned
    if charged >= earned + reserve:
        return False
    fetch_add_u64(&cluster.retries_charged, 1)
    return True


cdef void retry_refund(ClusterStateC* cluster, uint32_t retries) noexcept nogil:
    fetch_sub_u64(&cluster.retries_charged, retries)

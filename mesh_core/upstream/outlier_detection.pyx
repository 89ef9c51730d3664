"""Outlier detection as workers take part in it; the contract stands in outlier_detection.pxd."""

from mesh_core.includes.atomic cimport (
    fetch_add_u32, load_relaxed_u32, load_relaxed_u64, store_relaxed_i64, store_relaxed_u32,
)
from mesh_core.snapshot.shared_count cimport shared_count_enter, shared_count_leave
from mesh_core.upstream.endpoint_state cimport ENDPOINT_REMOVED, UNHEALTHY_EJECTED, EndpointState, endpoint_mark

cdef tuple VERDICTS = ("none", "tolerated", "overflow", "ejected")


cdef void outlier_connect_succeeded(const OutlierPolicyC* policy, EndpointStateC* endpoint) noexcept nogil:
    if not policy.consecutive_failures:
        return
    fetch_add_u32(&endpoint.successes, 1)
    if load_relaxed_u32(&endpoint.consecutive_failures):
        store_relaxed_u32(&endpoint.consecutive_failures, 0)


cdef Verdict outlier_connect_failed(
    const OutlierPolicyC* policy, ClusterStateC* cluster, EndpointStateC* endpoint, int64_t now_ms, uint64_t random
) noexcept nogil:
    if not policy.consecutive_failures:
        return VERDICT_NONE
    fetch_add_u32(&endpoint.failures, 1)
    # Of workers that fail at the same time, one sees this very number.
    if fetch_add_u32(&endpoint.consecutive_failures, 1) + 1 != policy.consecutive_failures:
        return VERDICT_NONE
    store_relaxed_u32(&endpoint.consecutive_failures, 0)
    return outlier_judge(policy, cluster, endpoint, policy.enforcing_percent, now_ms, random)


cdef Verdict outlier_judge(
    const OutlierPolicyC* policy, ClusterStateC* cluster, EndpointStateC* endpoint, uint32_t enforcing_percent,
    int64_t now_ms, uint64_t random
) noexcept nogil:
    if load_relaxed_u32(&endpoint.unhealthy) & (UNHEALTHY_EJECTED | ENDPOINT_REMOVED):
        return VERDICT_NONE
    if load_relaxed_u64(&cluster.ejected) >= policy.max_ejected:
        return VERDICT_OVERFLOW
    if random % 100 >= enforcing_percent:
        return VERDICT_TOLERATED
    if not shared_count_enter(&cluster.ejected, policy.max_ejected):
        return VERDICT_OVERFLOW
    # Before the mark: who sees the mark must not find the times of an older ejection.
    store_relaxed_i64(&endpoint.ejected_at_ms, now_ms)
    store_relaxed_u32(&endpoint.ejection_jitter_ms, <uint32_t>((random >> 32) % (<uint64_t>policy.max_jitter_ms + 1)))
    if not endpoint_mark(cluster, endpoint, UNHEALTHY_EJECTED, True):
        shared_count_leave(&cluster.ejected)
        return VERDICT_NONE
    if <uint64_t>load_relaxed_u32(&endpoint.ejection_multiplier) * policy.base_ejection_time_ms < (
            policy.max_ejection_time_ms):
        fetch_add_u32(&endpoint.ejection_multiplier, 1)
    fetch_add_u32(&endpoint.ejections, 1)
    fetch_add_u32(&cluster.ejections, 1)
    return VERDICT_EJECTED


cdef bint outlier_uneject(ClusterStateC* cluster, EndpointStateC* endpoint) noexcept nogil:
    if not endpoint_mark(cluster, endpoint, UNHEALTHY_EJECTED, False):
        return False
    # Failures from before the ejection must not count towards the next.
    store_relaxed_u32(&endpoint.consecutive_failures, 0)
    shared_count_leave(&cluster.ejected)
    return True


cdef class OutlierPolicy:
    """The rules of one cluster's outlier detection, seen from the control thread."""

    def __cinit__(self, rules not None, uint32_t endpoint_count):
        """`rules`: an OutlierDetection of the configuration. `endpoint_count`: how many endpoints the cluster has."""
        self.policy.consecutive_failures = rules.consecutive_local_origin_failure
        self.policy.enforcing_percent = rules.enforcing_consecutive_local_origin_failure
        self.policy.max_ejected = endpoint_count * <uint64_t>rules.max_ejection_percent // 100
        if rules.always_eject_one_host and not self.policy.max_ejected:
            self.policy.max_ejected = 1
        self.policy.base_ejection_time_ms = rules.base_ejection_time_ms
        self.policy.max_ejection_time_ms = rules.max_ejection_time_ms
        self.policy.max_jitter_ms = rules.max_ejection_time_jitter_ms

    def judge(self, EndpointState endpoint not None, uint32_t enforcing_percent, int64_t now_ms, uint64_t random):
        """Treat it as an outlier: "ejected", "tolerated" by the enforcing percentage, "overflow" or "none".

        "overflow": enough endpoints are ejected. "none": it is ejected already. `now_ms`: monotonic clock.
        """
        return VERDICTS[outlier_judge(
            &self.policy, &endpoint.cluster.state, &endpoint.state, enforcing_percent, now_ms, random)]


def uneject(EndpointState endpoint not None):
    """Let an ejected endpoint return; False when it was not ejected."""
    return outlier_uneject(&endpoint.cluster.state, &endpoint.state)

"""Retries and outlier detection as workers do them, from Python."""

from libc.stdint cimport int64_t, uint32_t, uint64_t
from mesh_core.includes.atomic cimport load_relaxed_u64
from mesh_core.upstream cimport outlier_detection as outlier_module
from mesh_core.upstream cimport retry as retry_module
from mesh_core.upstream.endpoint_state cimport ClusterState, EndpointState
from mesh_core.upstream.outlier_detection cimport OutlierPolicy

ATTEMPTS_MOST = retry_module.ATTEMPTS_MOST
cdef tuple VERDICTS = ("none", "tolerated", "overflow", "ejected")


def retry_interval_ms(uint32_t base_interval_ms, uint32_t retry, uint64_t random):
    cdef retry_module.RetryPolicyC policy
    policy.base_interval_ms = base_interval_ms
    return retry_module.retry_interval_ms(&policy, retry, random)


def count_connections(ClusterState cluster not None, int64_t more):
    """As if so many more (or fewer) connections were open."""
    cluster.state.connections += more


def retry_enter(ClusterState cluster not None, uint32_t percent, uint32_t min_concurrency):
    cdef retry_module.RetryPolicyC policy
    policy.budget_percent = percent
    policy.min_concurrency = min_concurrency
    return bool(retry_module.retry_enter(&policy, &cluster.state))


def retry_leave(ClusterState cluster not None):
    retry_module.retry_leave(&cluster.state)


def retries_contend(ClusterState cluster not None, uint32_t percent, uint32_t min_concurrency, uint64_t rounds):
    """Enter and leave without the GIL; the most retries that were counted while one of ours was."""
    cdef retry_module.RetryPolicyC policy
    cdef uint64_t most = 0
    cdef uint64_t _round
    policy.budget_percent = percent
    policy.min_concurrency = min_concurrency
    with nogil:
        for _round in range(rounds):
            if retry_module.retry_enter(&policy, &cluster.state):
                # What others enter and take back at once, because it was too much, shows here too.
                most = max(most, load_relaxed_u64(&cluster.state.retries))
                retry_module.retry_leave(&cluster.state)
    return most


def connect_failed(OutlierPolicy policy not None, EndpointState endpoint not None, int64_t now_ms, uint64_t random=0):
    """As a worker that could not connect."""
    return VERDICTS[outlier_module.outlier_connect_failed(
        &policy.policy, &endpoint.cluster.state, &endpoint.state, now_ms, random)]


def connect_succeeded(OutlierPolicy policy not None, EndpointState endpoint not None):
    """As a worker that has connected."""
    outlier_module.outlier_connect_succeeded(&policy.policy, &endpoint.state)


def failures_contend(OutlierPolicy policy not None, list endpoints not None, uint64_t rounds):
    """Fail and return without the GIL, each endpoint in turn; (ejections, returns)."""
    cdef uint64_t ejections = 0
    cdef uint64_t returns = 0
    cdef uint64_t number
    cdef EndpointState endpoint
    for number in range(rounds):
        endpoint = endpoints[number % len(endpoints)]
        with nogil:
            if outlier_module.outlier_connect_failed(
                    &policy.policy, &endpoint.cluster.state, &endpoint.state, 0, number) == (
                    outlier_module.VERDICT_EJECTED):
                ejections += 1
            if number % 3 == 0 and outlier_module.outlier_uneject(&endpoint.cluster.state, &endpoint.state):
                returns += 1
    return ejections, returns

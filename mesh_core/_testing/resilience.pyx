"""Retries, outlier detection and the adaptive limit as workers do them, from Python."""

from libc.stdint cimport int64_t, uint32_t, uint64_t
from mesh_core.includes.atomic cimport load_relaxed_u64
from mesh_core.snapshot.shared_count cimport shared_count_leave
from mesh_core.telemetry.stats cimport StatsScope
cimport mesh_core.upstream.concurrency_limit as concurrency_module
cimport mesh_core.upstream.outlier_detection as outlier_module
cimport mesh_core.upstream.retry as retry_module
from mesh_core.upstream.endpoint_state cimport ClusterState, EndpointState
from mesh_core.upstream.outlier_detection cimport OutlierPolicy

ATTEMPTS_MOST = retry_module.ATTEMPTS_MOST


def retry_interval_ms(uint32_t base_interval_ms, uint32_t retry, uint64_t random):
    cdef retry_module.RetryPolicyC policy
    policy.base_interval_ms = base_interval_ms
    policy.max_interval_ms = 10 * base_interval_ms
    return retry_module.retry_interval_ms(&policy, retry, random)


def count_connections(ClusterState cluster not None, int64_t more):
    """As if so many more (or fewer) connections were open."""
    cluster.state.connections[0] += more


def retry_enter(ClusterState cluster not None, uint32_t percent, uint32_t min_concurrency):
    cdef retry_module.RetryPolicyC policy
    policy.budget_percent = percent
    policy.min_concurrency = min_concurrency
    active = retry_module.retry_active(cluster.state.connections)
    return bool(retry_module.retry_enter(&policy, &cluster.state.retries, active))


def retry_leave(ClusterState cluster not None):
    shared_count_leave(&cluster.state.retries)


def retries_contend(ClusterState cluster not None, uint32_t percent, uint32_t min_concurrency, uint64_t rounds):
    """Enter and leave without the GIL; the most retries that were counted while one of ours was."""
    cdef retry_module.RetryPolicyC policy
    cdef uint64_t most = 0
    cdef uint64_t _round
    policy.budget_percent = percent
    policy.min_concurrency = min_concurrency
    with nogil:
        for _round in range(rounds):
            if retry_module.retry_enter(
                    &policy, &cluster.state.retries, retry_module.retry_active(cluster.state.connections)):
                # What others enter and take back at once, because it was too much, shows here too.
                most = max(most, load_relaxed_u64(&cluster.state.retries))
                shared_count_leave(&cluster.state.retries)
    return most


cdef dict RESULTS = {
    "connected": outlier_module.RESULT_CONNECTED,
    "connect_failed": outlier_module.RESULT_CONNECT_FAILED,
    "answered": outlier_module.RESULT_ANSWERED,
    "error": outlier_module.RESULT_ERROR,
    "gateway_error": outlier_module.RESULT_GATEWAY_ERROR,
    "local_failure": outlier_module.RESULT_LOCAL_FAILURE,
}


def note(
    OutlierPolicy policy not None, EndpointState endpoint not None, str result, int64_t now_ms=0, uint64_t random=0
):
    """As a worker that has seen this result: (what it counted, by name; whether there is news)."""
    cdef StatsScope counted = StatsScope("outlier_detection", ("app",), 1)
    cdef outlier_module.OutlierSiteC site
    site.policy = &policy.policy
    site.cluster = &endpoint.cluster.state
    site.endpoint = &endpoint.state
    site.stats = counted.blocks[0]
    site.now_ms = now_ms
    site.random = random
    news = bool(outlier_module.outlier_note(&site, RESULTS[result]))
    return {name.removeprefix("ejections_"): value for name, value in counted.read().items() if value}, news


def connect_failed(OutlierPolicy policy not None, EndpointState endpoint not None, int64_t now_ms, uint64_t random=0):
    """As a worker that could not connect: what became of the endpoint."""
    counted, news = note(policy, endpoint, "connect_failed", now_ms, random)
    if news:
        return "ejected"
    return "overflow" if "overflow" in counted else "tolerated" if counted else "none"


def connect_succeeded(OutlierPolicy policy not None, EndpointState endpoint not None):
    """As a worker that has connected."""
    note(policy, endpoint, "connected")


def is_moved_by_success(EndpointState endpoint not None):
    return bool(outlier_module.outlier_is_moved_by_success(&endpoint.state))


def awaits_probe(ClusterState cluster not None, int64_t now_ms):
    return bool(outlier_module.outlier_awaits_probe(&cluster.state, now_ms))


def probe(OutlierPolicy policy not None, EndpointState endpoint not None, int64_t now_ms):
    """As a worker that looks for an endpoint to try: whether it is this one's turn."""
    return bool(outlier_module.outlier_probe(&policy.policy, &endpoint.state, now_ms))


def accrual_penalty_ms(
    uint32_t min_penalty_ms, uint32_t max_penalty_ms, uint32_t jitter_percent, uint32_t penalties, uint64_t random
):
    cdef outlier_module.AccrualC accrual
    accrual.min_penalty_ms = min_penalty_ms
    accrual.max_penalty_ms = max_penalty_ms
    accrual.jitter_percent = jitter_percent
    return outlier_module.accrual_penalty_ms(&accrual, penalties, random)


def failures_contend(OutlierPolicy policy not None, list endpoints not None, uint64_t rounds):
    """Fail and return without the GIL, each endpoint in turn; (ejections, returns)."""
    cdef StatsScope counted = StatsScope("outlier_detection", ("app",), 1)
    cdef outlier_module.OutlierSiteC site
    cdef uint64_t ejections = 0
    cdef uint64_t returns = 0
    cdef uint64_t number
    cdef EndpointState endpoint
    site.policy = &policy.policy
    site.stats = counted.blocks[0]
    site.now_ms = 0
    for number in range(rounds):
        endpoint = endpoints[number % len(endpoints)]
        site.cluster = &endpoint.cluster.state
        site.endpoint = &endpoint.state
        site.random = number
        with nogil:
            if outlier_module.outlier_note(&site, outlier_module.RESULT_CONNECT_FAILED):
                ejections += 1
            if number % 3 == 0 and outlier_module.outlier_uneject(site.cluster, site.endpoint):
                returns += 1
    return ejections, returns


# --- the adaptive limit ---

def concurrency_enter(ClusterState cluster not None, int64_t now_ms=0):
    return bool(concurrency_module.concurrency_enter(&cluster.state.concurrency, now_ms))


def concurrency_leave(ClusterState cluster not None):
    concurrency_module.concurrency_leave(&cluster.state.concurrency)


def concurrency_sample(
    ClusterState cluster not None, StatsScope stats not None, int64_t begun_us, int64_t round_trip_us
):
    concurrency_module.concurrency_sample(
        &cluster.state.concurrency, stats.blocks[0], begun_us, round_trip_us)


def round_trip_bucket(int64_t round_trip_us):
    return concurrency_module.round_trip_bucket(round_trip_us)


def samples_contend(ClusterState cluster not None, StatsScope stats not None, uint32_t worker, uint64_t rounds):
    """Enter, take a sample and leave without the GIL, as one worker: how often there was a place."""
    cdef uint64_t entered = 0
    cdef uint64_t _round
    with nogil:
        for _round in range(rounds):
            if concurrency_module.concurrency_enter(&cluster.state.concurrency, 0):
                entered += 1
                concurrency_module.concurrency_leave(&cluster.state.concurrency)
                concurrency_module.concurrency_sample(&cluster.state.concurrency, stats.blocks[worker], 1, 1000)
    return entered

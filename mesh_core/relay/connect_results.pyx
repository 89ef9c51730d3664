"""What attempts at an endpoint tell of it; the contract stands in connect_results.pxd."""

from libc.stdint cimport uint64_t
from mesh_core.runtime.core cimport CoreC, core_notify
from mesh_core.snapshot.tables cimport ClusterC
from mesh_core.telemetry.stats cimport (
    ENDPOINT_ATTEMPT_FAILED, OUTLIER_DETECTED_CONSECUTIVE, OUTLIER_ENFORCED_CONSECUTIVE, OUTLIER_OVERFLOW,
)
from mesh_core.upstream.hashing cimport random_next
from mesh_core.upstream.outlier_detection cimport (
    VERDICT_EJECTED, VERDICT_NONE, VERDICT_OVERFLOW, Verdict, outlier_connect_failed, outlier_connect_succeeded,
)
from mesh_core.upstream.pick cimport cluster_observe


cdef void endpoint_connected(UpstreamC* upstream, int64_t duration_us) noexcept nogil:
    cluster_observe(upstream.cluster, upstream.endpoint, duration_us, upstream.core.reactor.now_ms)


cdef void endpoint_opened(UpstreamC* upstream) noexcept nogil:
    outlier_connect_succeeded(&upstream.cluster.outlier, upstream.endpoint.state)


cdef void endpoint_failed(UpstreamC* upstream) noexcept nogil:
    cdef CoreC* core = upstream.core
    cdef const ClusterC* cluster = upstream.cluster
    cdef uint64_t* stats
    cdef Verdict verdict
    if upstream.requests:
        upstream.endpoint.stats[core.index][ENDPOINT_ATTEMPT_FAILED] += 1
    # It counts as slow, or the balancer would like the endpoint that refuses at once.
    endpoint_connected(upstream, cluster.connect_timeout_ms * 1000)
    verdict = outlier_connect_failed(
        &cluster.outlier, cluster.state, upstream.endpoint.state, core.reactor.now_ms, random_next(&core.random))
    if verdict == VERDICT_NONE:
        return
    stats = cluster.outlier_stats[core.index]
    stats[OUTLIER_DETECTED_CONSECUTIVE] += 1
    if verdict == VERDICT_OVERFLOW:
        stats[OUTLIER_OVERFLOW] += 1
    elif verdict == VERDICT_EJECTED:
        stats[OUTLIER_ENFORCED_CONSECUTIVE] += 1
        # It tells people.
        core_notify(core)

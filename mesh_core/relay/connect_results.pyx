"""What attempts at an endpoint tell of it; the contract stands in connect_results.pxd."""

from mesh_core.runtime.core cimport core_notify
from mesh_core.telemetry.stats cimport ENDPOINT_ATTEMPT_FAILED
from mesh_core.upstream.hashing cimport random_next
from mesh_core.upstream.outlier_detection cimport (
    RESULT_CONNECTED, RESULT_CONNECT_FAILED, RESULT_LOCAL_FAILURE, OutlierSiteC, outlier_note,
)
from mesh_core.upstream.pick cimport cluster_observe


cdef void endpoint_connected(UpstreamC* upstream, int64_t duration_us) noexcept nogil:
    cluster_observe(upstream.cluster, upstream.endpoint, duration_us, upstream.core.reactor.now_ms)


cdef void endpoint_opened(UpstreamC* upstream) noexcept nogil:
    # Of one that carries requests only the answers tell something: who hangs accepts, too.
    if not upstream.requests:
        endpoint_note(upstream.core, upstream.cluster, upstream.endpoint, RESULT_CONNECTED)


cdef void endpoint_failed(UpstreamC* upstream) noexcept nogil:
    if upstream.requests:
        upstream.endpoint.stats[upstream.core.index][ENDPOINT_ATTEMPT_FAILED] += 1
    # It counts as slow, or the balancer would like the endpoint that refuses at once.
    endpoint_connected(upstream, upstream.cluster.connect_timeout_ms * 1000)
    endpoint_note(
        upstream.core, upstream.cluster, upstream.endpoint,
        RESULT_LOCAL_FAILURE if upstream.requests else RESULT_CONNECT_FAILED)


cdef void endpoint_note(CoreC* core, const ClusterC* cluster, EndpointC* endpoint, OutlierResult result) noexcept nogil:
    cdef OutlierSiteC site
    if not cluster.outlier.enabled:
        return
    site.policy = &cluster.outlier
    site.cluster = cluster.state
    site.endpoint = endpoint.state
    site.stats = cluster.outlier_stats[core.index]
    site.now_ms = core.reactor.now_ms
    site.random = random_next(&core.random)
    if outlier_note(&site, result):
        # It tells people.
        core_notify(core)

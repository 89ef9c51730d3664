"""What a listener's connections and a cluster's pools go by when they speak HTTP. Part of a snapshot: read-only.

Made by mesh_core.control.http_compiler, defaults filled in. Nothing here depends on the version of HTTP but the limits,
which HTTP/2 shares as far as they are its own too.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t
from mesh_core.http1.limits cimport Http1LimitsC
from mesh_core.http1.path cimport PathOptionsC
from mesh_core.http1.serialize cimport TextC
from mesh_core.snapshot.local_replies cimport LocalReplyC

# What becomes of X-Forwarded-For and X-Forwarded-Proto.
cdef enum ForwardedHeaders:
    FORWARDED_APPEND           # the downstream's address behind those that came; the scheme, where none came
    FORWARDED_OVERWRITE        # both anew
    FORWARDED_KEEP             # as they came


# How much a downstream must move in each window; see mesh_core.http.body_rate.
cdef struct MinBodyRateC:
    uint32_t request           # bytes per second; 0: no limit
    uint32_t response
    int64_t grace_ms
    int64_t window_ms


# Headers that a trace context comes and goes in; see config/schema/tracing.py.
cdef enum Propagation:
    PROPAGATE_W3C
    PROPAGATE_B3
    PROPAGATE_B3_MULTI
    PROPAGATION_COUNT


cdef struct TracingC:
    uint8_t[PROPAGATION_COUNT] formats  # Propagation, in order
    uint32_t format_count
    uint32_t sampling_ppm      # of traces without a decision


cdef struct HttpSettingsC:
    Http1LimitsC limits        # of requests
    PathOptionsC path
    int64_t idle_timeout_ms    # between requests; 0: none
    int64_t request_headers_timeout_ms  # from a head's first byte to its last; 0: none
    int64_t stream_idle_timeout_ms  # of a request, without a byte in either direction; 0: none
    int64_t request_timeout_ms  # from a request's head to its last byte; 0: none
    int64_t max_stream_duration_ms  # from a request's head to its response's last byte; 0: none
    int64_t least_stream_timeout_ms  # the shortest of the last three, as far as there are any; 0: there is none
    uint32_t max_requests_per_connection  # 0: no limit
    TextC default_host         # for HTTP/1.0 without Host; empty: none
    uint8_t forwarded_headers  # ForwardedHeaders
    bint generate_request_id   # for a request that has none
    bint preserve_external_request_id  # else one that came is thrown away
    bint accept_http_10
    bint allow_absolute_url
    bint explain               # failed responses say why in x-hopmesh-explain
    MinBodyRateC min_body_rate
    const LocalReplyC* local_replies  # what becomes of answers of the proxy's own
    uint32_t local_reply_count
    const TracingC* tracing    # NULL: trace contexts go on as they came


cdef struct HttpC:
    HttpSettingsC settings
    const void* routes         # RouteTableC of routing/route_table.pxd, which names clusters: so this cannot name it


# A cluster's pools: each worker has one for each endpoint.
cdef struct ClusterHttpC:
    Http1LimitsC limits        # of responses
    int64_t idle_timeout_ms    # of a connection in the pool; 0: none
    int64_t unrepeatable_idle_ms  # one that has been idle for longer carries no request that must not be sent twice
    bint learns_idle_timeouts
    int64_t max_connection_duration_ms  # after which a connection takes no further request; 0: none
    uint32_t max_requests_per_connection  # 0: no limit
    uint32_t max_idle_connections  # in one pool

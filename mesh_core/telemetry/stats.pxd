"""Counters: one block of words for each worker and scope, written by that worker only and summed when read.

Words that only the control thread counts (`StatsScope.count`) stand in the block of worker 0, which leaves them alone.

A scope is one listener, cluster, endpoint, a cluster's outlier detection or health checks, or the server; its words
are named by the enums below. On the data path a counter is `stats[LISTENER_RX_BYTES] += n` on a pointer that the
snapshot's tables carry.
"""

from libc.stdint cimport uint32_t, uint64_t

cdef enum:
    SERVER_CX_SHED             # downstream connections closed at once: no descriptors left
    SERVER_MEMORY_EXHAUSTED    # connections closed because an allocation failed
    SERVER_BULK_STREAMS        # times a stream was switched to splice
    SERVER_STAT_COUNT

cdef enum:
    LISTENER_CX_TOTAL
    LISTENER_CX_DESTROYED
    LISTENER_CX_OVERFLOW       # refused: over a connection limit
    LISTENER_CX_RESET          # reset by the downstream
    LISTENER_RX_BYTES
    LISTENER_TX_BYTES
    LISTENER_IDLE_TIMEOUT
    LISTENER_MAX_DURATION
    LISTENER_PROXY_ERROR       # malformed PROXY protocol header
    LISTENER_PROXY_TIMEOUT
    LISTENER_DRAIN_CLOSED      # cut at the end of a drain
    LISTENER_ACCEPT_ERROR
    LISTENER_TLS_HANDSHAKE
    LISTENER_TLS_SESSION_REUSED
    LISTENER_TLS_CONNECTION_ERROR  # handshakes that failed, but for the peer's certificate; records that are none
    LISTENER_TLS_FAIL_VERIFY   # the downstream's certificate was missing or refused
    LISTENER_TLS_CUT           # the downstream went during the handshake
    LISTENER_TLS_TIMEOUT
    LISTENER_TLS_TRUNCATED     # the downstream ended its connection without close_notify
    LISTENER_HELLO_ERROR       # a ClientHello that was malformed, too large, or cut
    LISTENER_HELLO_TIMEOUT
    LISTENER_NO_FILTER_CHAIN
    LISTENER_RQ_TOTAL          # requests whose head was whole, or refused
    LISTENER_RQ_COMPLETED      # those of them that have ended, however
    LISTENER_RQ_1XX            # answers by the class of their status, in this order: see stat_of_status
    LISTENER_RQ_2XX
    LISTENER_RQ_3XX
    LISTENER_RQ_4XX
    LISTENER_RQ_5XX
    LISTENER_RQ_RESET          # the downstream was gone before its answer was whole
    LISTENER_RQ_HEADER_TIMEOUT
    LISTENER_RQ_IDLE_TIMEOUT   # stream_idle_timeout_ms
    LISTENER_RQ_TIMEOUT        # request_timeout_ms
    LISTENER_RQ_MAX_DURATION   # max_stream_duration_ms
    LISTENER_RQ_TOO_SLOW       # min_body_rate
    LISTENER_RS_TOO_SLOW       # the same: the response was not read
    LISTENER_RQ_TOO_LARGE      # body_limits
    LISTENER_RS_TOO_LARGE
    LISTENER_RQ_DIRECT_RESPONSE
    LISTENER_RQ_REDIRECT
    LISTENER_NO_ROUTE
    LISTENER_HTTP_PROTOCOL_ERROR  # malformed requests
    LISTENER_CX_MAX_REQUESTS   # closed at max_requests_per_connection
    LISTENER_CX_UPGRADES_TOTAL
    LISTENER_CX_UPGRADES_ENDED
    LISTENER_CORS_ALLOWED      # requests with an Origin that is allowed
    LISTENER_CORS_REFUSED
    LISTENER_CORS_PREFLIGHT    # answered by the proxy
    LISTENER_FAULT_DELAYS
    LISTENER_FAULT_ABORTS
    LISTENER_FAULT_OVERFLOW    # not delayed: over max_active
    LISTENER_TRACE_STARTED
    LISTENER_TRACE_MALFORMED   # headers of a trace context, and tracestates
    LISTENER_RQ_OVERLOAD       # refused by overload protection
    LISTENER_CX_OVERLOAD       # so too
    LISTENER_CX_OVERLOAD_LAST  # ended after a request, by the same
    LISTENER_STAT_COUNT

cdef enum:
    CLUSTER_CX_TOTAL
    CLUSTER_CX_DESTROYED
    CLUSTER_CX_CONNECT_FAIL
    CLUSTER_CX_CONNECT_TIMEOUT
    CLUSTER_CX_NONE_HEALTHY
    CLUSTER_CX_RESET           # reset by the upstream
    CLUSTER_RX_BYTES
    CLUSTER_TX_BYTES
    CLUSTER_TLS_HANDSHAKE
    CLUSTER_TLS_SESSION_REUSED
    CLUSTER_TLS_CONNECTION_ERROR
    CLUSTER_TLS_FAIL_VERIFY
    CLUSTER_TLS_TRUNCATED
    CLUSTER_LB_HEALTHY_PANIC
    CLUSTER_CX_OVERFLOW        # refused: over max_connections
    CLUSTER_CX_PENDING_OVERFLOW  # refused: over max_pending_connections
    CLUSTER_CX_RETRY           # further attempts
    CLUSTER_CX_RETRY_SUCCESS   # connections that a further attempt opened
    CLUSTER_CX_RETRY_OVERFLOW  # not tried again: over the retry budget
    CLUSTER_CX_ATTEMPTS_EXCEEDED
    CLUSTER_CX_ENDPOINT_CLOSED  # reset: the endpoint was removed or failed its health checks
    CLUSTER_CX_PROTOCOL_ERROR  # malformed responses
    CLUSTER_CX_IDLE_TIMEOUT    # of pooled connections
    CLUSTER_CX_IDLE_ENDED      # of pooled connections: by the upstream
    CLUSTER_CX_IDLE_LEARNED    # of pooled connections: closed before the upstream would
    CLUSTER_CX_MAX_REQUESTS    # closed at max_requests_per_connection
    CLUSTER_CX_MAX_DURATION    # closed at max_connection_duration_ms
    CLUSTER_RQ_TOTAL
    CLUSTER_RQ_COMPLETED       # those of them that have ended, however
    CLUSTER_RQ_1XX             # answers by the class of their status, in this order: see stat_of_status
    CLUSTER_RQ_2XX
    CLUSTER_RQ_3XX
    CLUSTER_RQ_4XX
    CLUSTER_RQ_5XX
    CLUSTER_RQ_OVERFLOW        # refused: over max_requests
    CLUSTER_RQ_PENDING_OVERFLOW  # refused: over max_pending_requests
    CLUSTER_RQ_RX_RESET        # cut by the upstream
    CLUSTER_RQ_TX_RESET        # cut by us
    CLUSTER_RQ_TIMEOUT         # the route's time-out
    CLUSTER_RQ_RETRY           # attempts after the first one
    CLUSTER_RQ_RETRY_SUCCESS   # requests that such an attempt had answered as it should be
    CLUSTER_RQ_RETRY_OVERFLOW  # not tried again: over the retry budget
    CLUSTER_RQ_RETRY_LIMIT_EXCEEDED
    CLUSTER_RQ_RETRY_BACKOFF   # waits of random length
    CLUSTER_RQ_RETRY_AFTER     # waits that the upstream asked for
    CLUSTER_RQ_RETRY_RACE      # attempts that were lost with an idle connection, and made again at once
    CLUSTER_RQ_PER_TRY_TIMEOUT
    CLUSTER_UPDATE_ATTEMPT     # from here on by the control thread, in the block of worker 0
    CLUSTER_UPDATE_SUCCESS
    CLUSTER_UPDATE_FAILURE
    CLUSTER_UPDATE_EMPTY
    CLUSTER_UPDATE_OVERFLOW
    CLUSTER_STAT_COUNT

cdef enum:
    ENDPOINT_CX_TOTAL
    ENDPOINT_CX_DESTROYED
    ENDPOINT_CX_CONNECT_FAIL
    ENDPOINT_RQ_TOTAL
    ENDPOINT_RQ_COMPLETED      # those of them that have ended, however
    ENDPOINT_RQ_SUCCESS        # answered by a status below 500
    ENDPOINT_RQ_ERROR          # answered by a status from 500 on, or cut by the endpoint
    ENDPOINT_ATTEMPT_ANSWERED  # attempts of requests, by their outcome: a status below 500
    ENDPOINT_ATTEMPT_ERROR     # a status from 500 on, or no valid response
    ENDPOINT_ATTEMPT_FAILED    # no whole answer, or no connection
    ENDPOINT_STAT_COUNT

cdef enum:
    OUTLIER_DETECTED_LOCAL_ORIGIN  # by failures in a row, in the order of EjectionRow
    OUTLIER_DETECTED_GATEWAY_FAILURE
    OUTLIER_DETECTED_5XX
    OUTLIER_DETECTED_ACCRUAL
    OUTLIER_ENFORCED_LOCAL_ORIGIN  # in the same order
    OUTLIER_ENFORCED_GATEWAY_FAILURE
    OUTLIER_ENFORCED_5XX
    OUTLIER_ENFORCED_ACCRUAL
    OUTLIER_OVERFLOW           # found by failures in a row, but enough were ejected
    OUTLIER_PROBES             # requests that tried an ejected endpoint
    # Written by the control thread, in the first worker's block.
    OUTLIER_DETECTED_SUCCESS_RATE
    OUTLIER_ENFORCED_SUCCESS_RATE
    OUTLIER_DETECTED_FAILURE_PERCENTAGE
    OUTLIER_ENFORCED_FAILURE_PERCENTAGE
    OUTLIER_DETECTED_LOCAL_SUCCESS_RATE
    OUTLIER_ENFORCED_LOCAL_SUCCESS_RATE
    OUTLIER_DETECTED_LOCAL_FAILURE_PERCENTAGE
    OUTLIER_ENFORCED_LOCAL_FAILURE_PERCENTAGE
    OUTLIER_SWEEP_OVERFLOW
    OUTLIER_STAT_COUNT

# A histogram of round trips for the adaptive limit: 16 buckets for each power of two, 16 more below the first.
cdef enum:
    ROUND_TRIP_BUCKETS = 480

cdef enum:
    CONCURRENCY_RQ_BLOCKED
    CONCURRENCY_SAMPLES        # a histogram of requests, in microseconds
    CONCURRENCY_WINDOW_SAMPLES = CONCURRENCY_SAMPLES + ROUND_TRIP_BUCKETS  # another, of windows for the least one
    CONCURRENCY_STAT_COUNT = CONCURRENCY_WINDOW_SAMPLES + ROUND_TRIP_BUCKETS

# Written by the control thread, in the first worker's block.
cdef enum:
    HEALTH_CHECK_ATTEMPT
    HEALTH_CHECK_SUCCESS
    HEALTH_CHECK_FAILURE
    HEALTH_CHECK_NETWORK_FAILURE
    HEALTH_CHECK_PASSIVE_FAILURE
    HEALTH_CHECK_STAT_COUNT


cdef enum:
    RATE_LIMIT_OK              # requests with a token
    RATE_LIMIT_LIMITED         # without one
    RATE_LIMIT_ENFORCED        # those of them that were refused
    RATE_LIMIT_NO_PLACE        # requests whose key had no bucket of its own
    RATE_LIMIT_STAT_COUNT

# Written by the control thread, in the first worker's block.
cdef enum:
    OVERLOAD_MEMORY_PERCENT
    OVERLOAD_DESCRIPTORS_PERCENT
    OVERLOAD_ACTIVE
    OVERLOAD_ENTERED
    OVERLOAD_STAT_COUNT

cdef enum:
    MIRROR_TOTAL               # copies begun
    MIRROR_COMPLETED           # those of them that have ended, however
    MIRROR_OVERFLOW            # left out: over max_concurrent, or a breaker of the cluster
    MIRROR_BODY_OVERFLOW       # given up: over max_body_bytes
    MIRROR_FAILED              # no endpoint, no connection, cut, malformed or late
    MIRROR_CUT                 # given up: the request itself was not whole
    MIRROR_STAT_COUNT


# The counter of a status's class; `first` is that of 1xx. Statuses from 600 on (RFC 9110, 15) count as 5xx.
cdef inline int stat_of_status(int first, int status) noexcept nogil:
    return first + min(status // 100, 5) - 1


cdef class StatsScope:
    """One named thing that is counted. Whoever keeps a pointer into it keeps the object too."""

    cdef object __weakref__
    cdef readonly str kind
    cdef readonly tuple labels
    cdef readonly uint32_t workers
    cdef void* memory          # owned
    cdef uint64_t** blocks     # one pointer for each worker; owned with `memory`
    cdef uint32_t words

    cdef uint64_t total(self, uint32_t word) noexcept

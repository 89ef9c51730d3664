"""Counters, per worker; the contract stands in stats.pxd. What is here runs on the control thread, with the GIL.

Names follow Envoy's statistics (listener.downstream_cx_*, cluster.upstream_cx_*).
"""

from weakref import WeakValueDictionary

from mesh_core.includes.atomic cimport load_relaxed_u64
from mesh_core.runtime.memory cimport memory_alloc, memory_free
from mesh_core.telemetry.histogram cimport TIME_HISTOGRAM_WORDS

from mesh_core.telemetry.policy_statistics import LISTENER_STATISTICS, SCOPE_WORDS, SCOPES
from mesh_core.telemetry.upstream_health_counters import UPSTREAM_HEALTH_COUNTERS

COUNTER = "counter"
GAUGE = "gauge"

# For each kind of scope: its label names and, for each statistic, (name, type, what it tells, the words that are
# added, the words that are subtracted).
STATISTICS = {
    "server": ((), (
        ("downstream_cx_shed", COUNTER, "Downstream connections closed at once for want of descriptors",
         (SERVER_CX_SHED,), ()),
        ("memory_exhausted", COUNTER, "Connections closed because an allocation failed",
         (SERVER_MEMORY_EXHAUSTED,), ()),
        ("bulk_streams", COUNTER, "Times a stream was long enough to be moved by splice(2)",
         (SERVER_BULK_STREAMS,), ()),
    )),
    "listener": (("listener",), (
        ("downstream_cx_total", COUNTER, "Connections accepted", (LISTENER_CX_TOTAL,), ()),
        ("downstream_cx_active", GAUGE, "Connections open now", (LISTENER_CX_TOTAL,), (LISTENER_CX_DESTROYED,)),
        ("downstream_cx_overflow", COUNTER, "Connections refused over a connection limit",
         (LISTENER_CX_OVERFLOW,), ()),
        ("downstream_cx_reset", COUNTER, "Connections that the downstream reset", (LISTENER_CX_RESET,), ()),
        ("downstream_cx_rx_bytes_total", COUNTER, "Bytes received from downstream", (LISTENER_RX_BYTES,), ()),
        ("downstream_cx_tx_bytes_total", COUNTER, "Bytes sent to downstream", (LISTENER_TX_BYTES,), ()),
        ("downstream_cx_idle_timeout", COUNTER, "Connections cut by the idle time-out", (LISTENER_IDLE_TIMEOUT,), ()),
        ("downstream_cx_max_duration_reached", COUNTER, "Connections cut at their maximum duration",
         (LISTENER_MAX_DURATION,), ()),
        ("downstream_cx_proxy_proto_error", COUNTER, "Connections refused for a malformed PROXY protocol header",
         (LISTENER_PROXY_ERROR,), ()),
        ("downstream_cx_proxy_proto_timeout", COUNTER, "Connections whose PROXY protocol header did not arrive in time",
         (LISTENER_PROXY_TIMEOUT,), ()),
        ("downstream_cx_drain_close", COUNTER, "Connections cut when a drain reached its limit",
         (LISTENER_DRAIN_CLOSED,), ()),
        ("downstream_accept_error", COUNTER, "Accepts that failed for another reason than missing descriptors",
         (LISTENER_ACCEPT_ERROR,), ()),
        ("ssl.handshake", COUNTER, "TLS handshakes completed", (LISTENER_TLS_HANDSHAKE,), ()),
        ("ssl.session_reused", COUNTER, "TLS handshakes that resumed a session", (LISTENER_TLS_SESSION_REUSED,), ()),
        ("ssl.connection_error", COUNTER, "TLS connections that failed, but for the peer's certificate",
         (LISTENER_TLS_CONNECTION_ERROR,), ()),
        ("ssl.fail_verify", COUNTER, "TLS handshakes that failed for the downstream's certificate",
         (LISTENER_TLS_FAIL_VERIFY,), ()),
        ("ssl.handshake_cut", COUNTER, "TLS handshakes that the downstream broke off", (LISTENER_TLS_CUT,), ()),
        ("ssl.handshake_timeout", COUNTER, "TLS handshakes that took too long", (LISTENER_TLS_TIMEOUT,), ()),
        ("ssl.truncated", COUNTER, "Connections that the downstream ended without close_notify",
         (LISTENER_TLS_TRUNCATED,), ()),
        ("tls_inspector.client_hello_error", COUNTER, "Connections refused for a malformed, too large or cut hello",
         (LISTENER_HELLO_ERROR,), ()),
        ("tls_inspector.client_hello_timeout", COUNTER, "Connections whose ClientHello or first byte came too late",
         (LISTENER_HELLO_TIMEOUT,), ()),
        ("no_filter_chain_match", COUNTER, "Connections closed because no filter chain fits",
         (LISTENER_NO_FILTER_CHAIN,), ()),
        ("downstream_rq_total", COUNTER, "Requests", (LISTENER_RQ_TOTAL,), ()),
        ("downstream_rq_active", GAUGE, "Requests that are being answered now",
         (LISTENER_RQ_TOTAL,), (LISTENER_RQ_COMPLETED,)),
        ("downstream_rq_1xx", COUNTER, "Interim answers", (LISTENER_RQ_1XX,), ()),
        ("downstream_rq_2xx", COUNTER, "Answers with a status from 200 to 299", (LISTENER_RQ_2XX,), ()),
        ("downstream_rq_3xx", COUNTER, "Answers with a status from 300 to 399", (LISTENER_RQ_3XX,), ()),
        ("downstream_rq_4xx", COUNTER, "Answers with a status from 400 to 499", (LISTENER_RQ_4XX,), ()),
        ("downstream_rq_5xx", COUNTER, "Answers with a status from 500 on", (LISTENER_RQ_5XX,), ()),
        ("downstream_rq_rx_reset", COUNTER, "Requests whose downstream was gone before the answer was whole",
         (LISTENER_RQ_RESET,), ()),
        ("downstream_rq_header_timeout", COUNTER, "Requests whose head did not arrive in time",
         (LISTENER_RQ_HEADER_TIMEOUT,), ()),
        ("downstream_rq_idle_timeout", COUNTER, "Requests cut by the stream idle time-out",
         (LISTENER_RQ_IDLE_TIMEOUT,), ()),
        ("downstream_rq_timeout", COUNTER, "Requests that were not whole in time", (LISTENER_RQ_TIMEOUT,), ()),
        ("downstream_rq_max_duration_reached", COUNTER, "Requests cut at their maximum duration",
         (LISTENER_RQ_MAX_DURATION,), ()),
        ("downstream_rq_too_slow", COUNTER, "Requests whose body came too slowly", (LISTENER_RQ_TOO_SLOW,), ()),
        ("downstream_rs_too_slow", COUNTER, "Connections reset because responses were read too slowly",
         (LISTENER_RS_TOO_SLOW,), ()),
        ("downstream_rq_too_large", COUNTER, "Requests whose body was over its limit", (LISTENER_RQ_TOO_LARGE,), ()),
        ("rs_too_large", COUNTER, "Responses whose body was over its limit", (LISTENER_RS_TOO_LARGE,), ()),
        ("rq_direct_response", COUNTER, "Requests answered by a route itself", (LISTENER_RQ_DIRECT_RESPONSE,), ()),
        ("rq_redirect", COUNTER, "Requests answered by a route's redirect", (LISTENER_RQ_REDIRECT,), ()),
        ("no_route", COUNTER, "Requests that no route fits", (LISTENER_NO_ROUTE,), ()),
        ("downstream_cx_protocol_error", COUNTER, "Connections closed for a malformed request",
         (LISTENER_HTTP_PROTOCOL_ERROR,), ()),
        ("downstream_cx_max_requests_reached", COUNTER, "Connections closed at their maximum number of requests",
         (LISTENER_CX_MAX_REQUESTS,), ()),
        ("downstream_cx_upgrades_total", COUNTER, "Connections that were upgraded, or opened by CONNECT",
         (LISTENER_CX_UPGRADES_TOTAL,), ()),
        ("downstream_cx_upgrades_active", GAUGE, "Upgraded connections open now",
         (LISTENER_CX_UPGRADES_TOTAL,), (LISTENER_CX_UPGRADES_ENDED,)),
        *LISTENER_STATISTICS,
    )),
    "cluster": (("cluster",), (
        ("upstream_cx_total", COUNTER, "Connections begun", (CLUSTER_CX_TOTAL,), ()),
        ("upstream_cx_active", GAUGE, "Connections open or being opened now",
         (CLUSTER_CX_TOTAL,), (CLUSTER_CX_DESTROYED,)),
        ("upstream_cx_connect_fail", COUNTER, "Connections that were refused or failed to open",
         (CLUSTER_CX_CONNECT_FAIL,), ()),
        ("upstream_cx_connect_timeout", COUNTER, "Connections that did not open in time",
         (CLUSTER_CX_CONNECT_TIMEOUT,), ()),
        ("upstream_cx_none_healthy", COUNTER, "Connections with no endpoint to go to",
         (CLUSTER_CX_NONE_HEALTHY,), ()),
        ("ssl.handshake", COUNTER, "TLS handshakes completed", (CLUSTER_TLS_HANDSHAKE,), ()),
        ("ssl.session_reused", COUNTER, "TLS handshakes that resumed a session", (CLUSTER_TLS_SESSION_REUSED,), ()),
        ("ssl.connection_error", COUNTER, "TLS connections that failed, but for the peer's certificate",
         (CLUSTER_TLS_CONNECTION_ERROR,), ()),
        ("ssl.fail_verify", COUNTER, "TLS handshakes that failed for the upstream's certificate",
         (CLUSTER_TLS_FAIL_VERIFY,), ()),
        ("ssl.truncated", COUNTER, "Connections that the upstream ended without close_notify",
         (CLUSTER_TLS_TRUNCATED,), ()),
        ("upstream_cx_reset", COUNTER, "Connections that the upstream reset", (CLUSTER_CX_RESET,), ()),
        ("upstream_cx_rx_bytes_total", COUNTER, "Bytes received from upstream", (CLUSTER_RX_BYTES,), ()),
        ("upstream_cx_tx_bytes_total", COUNTER, "Bytes sent to upstream", (CLUSTER_TX_BYTES,), ()),
        ("lb_healthy_panic", COUNTER, "Endpoints chosen regardless of health, because too few were healthy",
         (CLUSTER_LB_HEALTHY_PANIC,), ()),
        ("update_attempt", COUNTER, "Look-ups of host names by DNS", (CLUSTER_UPDATE_ATTEMPT,), ()),
        ("update_success", COUNTER, "Look-ups that found addresses", (CLUSTER_UPDATE_SUCCESS,), ()),
        ("update_failure", COUNTER, "Look-ups that failed: the addresses stay those that were found last",
         (CLUSTER_UPDATE_FAILURE,), ()),
        ("update_empty", COUNTER, "Look-ups answered by no address", (CLUSTER_UPDATE_EMPTY,), ()),
        ("update_overflow", COUNTER, "Look-ups after which the cluster had more addresses than it takes",
         (CLUSTER_UPDATE_OVERFLOW,), ()),
        ("upstream_cx_overflow", COUNTER, "Connections refused over max_connections", (CLUSTER_CX_OVERFLOW,), ()),
        ("upstream_cx_pending_overflow", COUNTER, "Connections refused over max_pending_connections",
         (CLUSTER_CX_PENDING_OVERFLOW,), ()),
        ("upstream_cx_retry", COUNTER, "Attempts to connect after the first one", (CLUSTER_CX_RETRY,), ()),
        ("upstream_cx_retry_success", COUNTER, "Connections that were opened after the first attempt",
         (CLUSTER_CX_RETRY_SUCCESS,), ()),
        ("upstream_cx_retry_overflow", COUNTER, "Connections not tried again because of the retry budget",
         (CLUSTER_CX_RETRY_OVERFLOW,), ()),
        ("upstream_cx_connect_attempts_exceeded", COUNTER, "Connections whose last allowed attempt failed",
         (CLUSTER_CX_ATTEMPTS_EXCEEDED,), ()),
        ("upstream_cx_endpoint_closed", COUNTER,
         "Connections reset because their endpoint was removed or failed its health checks",
         (CLUSTER_CX_ENDPOINT_CLOSED,), ()),
        ("upstream_cx_protocol_error", COUNTER, "Connections closed for a malformed response",
         (CLUSTER_CX_PROTOCOL_ERROR,), ()),
        ("upstream_cx_idle_timeout", COUNTER, "Pooled connections closed by their idle time-out",
         (CLUSTER_CX_IDLE_TIMEOUT,), ()),
        ("upstream_cx_idle_ended", COUNTER, "Idle connections of pools that the upstream ended",
         (CLUSTER_CX_IDLE_ENDED,), ()),
        ("upstream_cx_idle_learned", COUNTER, "Idle connections of pools closed before the upstream would end them",
         (CLUSTER_CX_IDLE_LEARNED,), ()),
        ("upstream_cx_max_requests", COUNTER, "Connections closed at their maximum number of requests",
         (CLUSTER_CX_MAX_REQUESTS,), ()),
        ("upstream_cx_max_duration_reached", COUNTER, "Connections closed at their maximum duration",
         (CLUSTER_CX_MAX_DURATION,), ()),
        ("upstream_rq_total", COUNTER, "Requests sent to an endpoint", (CLUSTER_RQ_TOTAL,), ()),
        ("upstream_rq_completed", COUNTER, "Requests that have ended, however", (CLUSTER_RQ_COMPLETED,), ()),
        ("upstream_rq_active", GAUGE, "Requests that wait for their answer's end",
         (CLUSTER_RQ_TOTAL,), (CLUSTER_RQ_COMPLETED,)),
        ("upstream_rq_1xx", COUNTER, "Interim answers", (CLUSTER_RQ_1XX,), ()),
        ("upstream_rq_2xx", COUNTER, "Answers with a status from 200 to 299", (CLUSTER_RQ_2XX,), ()),
        ("upstream_rq_3xx", COUNTER, "Answers with a status from 300 to 399", (CLUSTER_RQ_3XX,), ()),
        ("upstream_rq_4xx", COUNTER, "Answers with a status from 400 to 499", (CLUSTER_RQ_4XX,), ()),
        ("upstream_rq_5xx", COUNTER, "Answers with a status from 500 on", (CLUSTER_RQ_5XX,), ()),
        ("upstream_rq_overflow", COUNTER, "Requests refused over max_requests", (CLUSTER_RQ_OVERFLOW,), ()),
        ("upstream_rq_pending_overflow", COUNTER, "Requests refused over max_pending_requests",
         (CLUSTER_RQ_PENDING_OVERFLOW,), ()),
        ("upstream_rq_rx_reset", COUNTER, "Requests cut by the upstream", (CLUSTER_RQ_RX_RESET,), ()),
        ("upstream_rq_tx_reset", COUNTER, "Requests cut by the proxy", (CLUSTER_RQ_TX_RESET,), ()),
        ("upstream_rq_retry", COUNTER, "Attempts of requests after the first one", (CLUSTER_RQ_RETRY,), ()),
        ("upstream_rq_retry_success", COUNTER, "Requests that a retry got answered", (CLUSTER_RQ_RETRY_SUCCESS,), ()),
        ("upstream_rq_retry_overflow", COUNTER, "Requests not tried again over the retry budget or max_retries",
         (CLUSTER_RQ_RETRY_OVERFLOW,), ()),
        ("upstream_rq_retry_limit_exceeded", COUNTER, "Requests that failed in their last attempt",
         (CLUSTER_RQ_RETRY_LIMIT_EXCEEDED,), ()),
        ("upstream_rq_retry_backoff_exponential", COUNTER, "Waits before a further attempt, of random length",
         (CLUSTER_RQ_RETRY_BACKOFF,), ()),
        ("upstream_rq_retry_backoff_ratelimited", COUNTER, "Waits before a further attempt, by Retry-After",
         (CLUSTER_RQ_RETRY_AFTER,), ()),
        ("upstream_rq_retry_idle_race", COUNTER, "Attempts lost with an idle connection, and made again at once",
         (CLUSTER_RQ_RETRY_RACE,), ()),
        ("upstream_rq_timeout", COUNTER, "Requests given up after their route's time-out", (CLUSTER_RQ_TIMEOUT,), ()),
        ("upstream_rq_per_try_timeout", COUNTER, "Attempts given up after the time-out of one",
         (CLUSTER_RQ_PER_TRY_TIMEOUT,), ()),
    )),
    "endpoint": (("cluster", "endpoint"), (
        ("cx_total", COUNTER, "Connections begun", (ENDPOINT_CX_TOTAL,), ()),
        ("cx_active", GAUGE, "Connections open or being opened now", (ENDPOINT_CX_TOTAL,), (ENDPOINT_CX_DESTROYED,)),
        ("cx_connect_fail", COUNTER, "Connections that failed or timed out before they were open",
         (ENDPOINT_CX_CONNECT_FAIL,), ()),
        ("rq_total", COUNTER, "Requests sent", (ENDPOINT_RQ_TOTAL,), ()),
        ("rq_active", GAUGE, "Requests that wait for their answer's end",
         (ENDPOINT_RQ_TOTAL,), (ENDPOINT_RQ_COMPLETED,)),
        ("rq_success", COUNTER, "Requests answered by a status below 500", (ENDPOINT_RQ_SUCCESS,), ()),
        ("rq_error", COUNTER, "Requests answered by a status from 500 on, or cut by the endpoint",
         (ENDPOINT_RQ_ERROR,), ()),
        ("attempt_answered", COUNTER, "Attempts of requests answered by a status below 500",
         (ENDPOINT_ATTEMPT_ANSWERED,), ()),
        ("attempt_error", COUNTER, "Attempts of requests answered by a status from 500 on, or by what is no response",
         (ENDPOINT_ATTEMPT_ERROR,), ()),
        ("attempt_failed", COUNTER, "Attempts of requests without a whole answer: no connection, a reset, a time-out",
         (ENDPOINT_ATTEMPT_FAILED,), ()),
    )),
    **{kind: (("cluster",), tuple([(name, COUNTER, help_text, words, ()) for name, help_text, words in counters]))
       for kind, counters in UPSTREAM_HEALTH_COUNTERS.items()},
    **SCOPES,
}

cdef dict WORDS = {
    "server": SERVER_STAT_COUNT,
    "listener": LISTENER_STAT_COUNT,
    "cluster": CLUSTER_STAT_COUNT,
    "endpoint": ENDPOINT_STAT_COUNT,
    "outlier_detection": OUTLIER_STAT_COUNT,
    "health_check": HEALTH_CHECK_STAT_COUNT,
    **SCOPE_WORDS,
    # Histograms, which `buckets` reads.
    "adaptive_concurrency": CONCURRENCY_STAT_COUNT,
    "upstream_rq_time": TIME_HISTOGRAM_WORDS,
}

cdef class StatsScope:

    def __cinit__(self, str kind, tuple labels, uint32_t workers):
        cdef size_t stride = (WORDS[kind] * sizeof(uint64_t) + 63) & ~<size_t>63
        cdef size_t base
        cdef uint32_t index
        self.kind = kind
        self.labels = labels
        self.workers = workers
        self.words = WORDS[kind]
        # Each worker's block begins on a cache line of its own, so that no two workers write to the same line.
        self.memory = memory_alloc(workers * sizeof(void*) + 64 + workers * stride)
        if self.memory == NULL:
            raise MemoryError()
        self.blocks = <uint64_t**>self.memory
        base = (<size_t>self.memory + workers * sizeof(void*) + 63) & ~<size_t>63
        for index in range(workers):
            self.blocks[index] = <uint64_t*>(base + index * stride)

    def __dealloc__(self):
        memory_free(self.memory)

    cdef uint64_t total(self, uint32_t word) noexcept:
        cdef uint64_t total = 0
        cdef uint32_t index
        for index in range(self.workers):
            total += load_relaxed_u64(&self.blocks[index][word])
        return total

    def count(self, str name):
        """Add one to a counter of the control thread's. Only that thread calls this."""
        control_word(self, name)[0] += 1

    def set(self, str name, uint64_t value):
        """Write a gauge of the control thread's. Only that thread calls this."""
        control_word(self, name)[0] = value

    def read(self):
        """Every statistic of this scope, summed over the workers: {name: value}."""
        cdef dict values = {}
        for name, _type, _help, added, subtracted in STATISTICS[self.kind][1]:
            value = sum([self.total(word) for word in added])
            # The two words of a gauge are read one after the other, while workers write.
            values[name] = max(0, value - sum([self.total(word) for word in subtracted]))
        return values

    def buckets(self):
        """The words of a histogram's scope, summed over the workers: list[int]."""
        return [self.total(word) for word in range(self.words)]


cdef uint64_t* control_word(StatsScope scope, str name) except NULL:
    for each, _type, _help, added, _subtracted in STATISTICS[scope.kind][1]:
        if each == name:
            return &scope.blocks[0][<uint32_t>added[0]]
    raise KeyError(name)


class StatsRegistry:
    """All scopes of one proxy, by name.

    A scope lives as long as a snapshot uses it: counts survive reloads, and series of what is gone do not pile up.
    """

    def __init__(self, workers):
        self.workers = workers
        self._scopes = WeakValueDictionary()
        # 0 is no cluster.
        self.cluster_names = [None]
        self._cluster_ids = {}

    def scope(self, kind, *labels):
        """The scope of that kind and those label values, made when it is new."""
        scope = self._scopes.get((kind, labels))
        if scope is None:
            scope = self._scopes[kind, labels] = StatsScope(kind, labels, self.workers)
        return scope

    def cluster_id(self, name):
        """The number that series of requests know a cluster by: the same as long as the process lives."""
        if name not in self._cluster_ids:
            self._cluster_ids[name] = len(self.cluster_names)
            self.cluster_names.append(name)
        return self._cluster_ids[name]

    def scopes(self, kind):
        """The scopes of one kind, in order of their labels."""
        return sorted((s for s in self._scopes.values() if s.kind == kind), key=lambda scope: scope.labels)

"""Why a connection or a request did not end as its two sides wished: Envoy's response flags, and the words behind them.

A flag is a class that dashboards count; a detail is the exact cause. Source: Envoy,
"Access logging", %RESPONSE_FLAGS%.
"""

from libc.stdint cimport uint32_t

cdef enum:
    FLAG_NO_HEALTHY_UPSTREAM = 1 << 0              # UH
    FLAG_UPSTREAM_CONNECTION_FAILURE = 1 << 1      # UF
    FLAG_UPSTREAM_CONNECTION_TERMINATION = 1 << 2  # UC
    FLAG_DOWNSTREAM_CONNECTION_TERMINATION = 1 << 3  # DC
    FLAG_STREAM_IDLE_TIMEOUT = 1 << 4              # SI
    FLAG_DURATION_TIMEOUT = 1 << 5                 # DT
    FLAG_OVERLOAD = 1 << 6                         # OM
    FLAG_DOWNSTREAM_PROTOCOL_ERROR = 1 << 7        # DPE
    FLAG_NO_ROUTE = 1 << 8                         # NR: of a connection, that no filter chain fits; or no route
    FLAG_UPSTREAM_OVERFLOW = 1 << 9                # UO
    FLAG_UPSTREAM_RETRY_LIMIT_EXCEEDED = 1 << 10   # URX
    FLAG_UPSTREAM_REMOTE_RESET = 1 << 11           # UR
    FLAG_LOCAL_RESET = 1 << 12                     # LR
    FLAG_UPSTREAM_REQUEST_TIMEOUT = 1 << 13        # UT
    FLAG_UPSTREAM_PROTOCOL_ERROR = 1 << 14         # UPE
    FLAG_NO_CLUSTER_FOUND = 1 << 15                # NC
    FLAG_DELAY_INJECTED = 1 << 16                  # DI
    FLAG_FAULT_INJECTED = 1 << 17                  # FI
    FLAG_RATE_LIMITED = 1 << 18                    # RL
    FLAG_COUNT = 19

cdef enum:
    DETAIL_NONE
    DETAIL_DOWNSTREAM_RESET
    DETAIL_UPSTREAM_RESET
    DETAIL_CONNECT_FAILED
    DETAIL_CONNECT_TIMEOUT
    DETAIL_NO_ENDPOINT
    DETAIL_IDLE_TIMEOUT
    DETAIL_MAX_DURATION
    DETAIL_CONNECTION_LIMIT
    DETAIL_OUT_OF_MEMORY
    DETAIL_OUT_OF_DESCRIPTORS
    DETAIL_PROXY_HEADER_MALFORMED
    DETAIL_PROXY_HEADER_TIMEOUT
    DETAIL_PROXY_HEADER_MISSING
    DETAIL_DRAIN_LIMIT
    DETAIL_TLS_HANDSHAKE_FAILED
    DETAIL_TLS_HANDSHAKE_CUT
    DETAIL_TLS_HANDSHAKE_TIMEOUT
    DETAIL_TLS_TRUNCATED       # ended without close_notify
    DETAIL_TLS_RECORD          # sent what is no valid record
    DETAIL_CLIENT_HELLO_MALFORMED
    DETAIL_CLIENT_HELLO_OVERSIZED
    DETAIL_CLIENT_HELLO_CUT    # the downstream ended before its hello was complete
    DETAIL_CLIENT_HELLO_TIMEOUT
    DETAIL_NO_FILTER_CHAIN
    DETAIL_UPSTREAM_OVERFLOW
    DETAIL_UPSTREAM_PENDING_OVERFLOW
    DETAIL_ENDPOINT_REMOVED
    DETAIL_ENDPOINT_UNHEALTHY
    # Of requests. What exactly is malformed, http1_error_text says.
    DETAIL_REQUEST_MALFORMED
    DETAIL_REQUEST_HEADERS_TOO_LARGE  # the start line, the head or its number of fields
    DETAIL_REQUEST_HEADER_TIMEOUT
    DETAIL_LOW_VERSION         # HTTP/1.0 where it is not accepted
    DETAIL_ABSOLUTE_URL_REFUSED
    DETAIL_PATH_REFUSED        # by normalization
    DETAIL_PATH_REDIRECT       # to the normalized path
    DETAIL_ROUTE_NOT_FOUND
    DETAIL_CLUSTER_NOT_FOUND
    DETAIL_DIRECT_RESPONSE
    DETAIL_REDIRECT
    DETAIL_UPGRADE_REFUSED     # the route does not allow it
    DETAIL_REQUEST_OVERFLOW
    DETAIL_PENDING_REQUEST_OVERFLOW
    DETAIL_CONCURRENCY_LIMIT   # the adaptive one
    DETAIL_STREAM_IDLE_TIMEOUT
    DETAIL_OVERLOAD            # the proxy itself is short of memory or descriptors
    DETAIL_CORS_PREFLIGHT      # answered by the proxy
    DETAIL_FAULT_ABORT         # injected
    DETAIL_LOCAL_RATE_LIMITED
    DETAIL_RESPONSE_TIMEOUT
    DETAIL_RESPONSE_MALFORMED
    DETAIL_RESPONSE_HEADERS_TOO_LARGE
    DETAIL_UPSTREAM_CLOSED_BEFORE_RESPONSE
    DETAIL_UPSTREAM_CLOSED_IN_RESPONSE
    DETAIL_DOWNSTREAM_CLOSED_IN_REQUEST
    DETAIL_DOWNSTREAM_CLOSED_IN_RESPONSE
    DETAIL_REQUEST_TIMEOUT     # of the whole request
    DETAIL_PER_TRY_TIMEOUT
    DETAIL_MAX_STREAM_DURATION
    DETAIL_REQUEST_TOO_SLOW    # min_body_rate
    DETAIL_RESPONSE_READ_TOO_SLOWLY  # the same
    DETAIL_REQUEST_BODY_TOO_LARGE
    DETAIL_RESPONSE_BODY_TOO_LARGE
    DETAIL_RETRY_OVERFLOW
    DETAIL_COUNT


# The short name of flag number `index` (0 to FLAG_COUNT - 1).
cdef const char* flag_name(int index) noexcept nogil

# The words of a detail, "" for DETAIL_NONE.
cdef const char* detail_text(int detail) noexcept nogil

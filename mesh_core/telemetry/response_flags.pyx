"""Envoy's response flags as text; the meanings stand in response_flags.pxd."""

cdef const char* FLAG_NAMES[FLAG_COUNT]
FLAG_NAMES[:] = [b"UH", b"UF", b"UC", b"DC", b"SI", b"DT", b"OM", b"DPE", b"NR", b"UO", b"URX", b"UR", b"LR", b"UT",
                 b"UPE", b"NC", b"DI", b"FI", b"RL"]

cdef const char* DETAIL_TEXTS[DETAIL_COUNT]
DETAIL_TEXTS[:] = [
    b"", b"downstream_reset", b"upstream_reset", b"connect_failed", b"connect_timeout", b"no_endpoint",
    b"idle_timeout", b"max_connection_duration", b"connection_limit", b"out_of_memory", b"out_of_descriptors",
    b"proxy_protocol_malformed", b"proxy_protocol_timeout", b"proxy_protocol_missing", b"drain_limit",
    b"tls_handshake_failed", b"tls_handshake_cut", b"tls_handshake_timeout", b"tls_truncated", b"tls_bad_record",
    b"client_hello_malformed", b"client_hello_oversized", b"client_hello_cut", b"client_hello_timeout",
    b"no_filter_chain",
    b"upstream_overflow", b"upstream_pending_overflow", b"endpoint_removed", b"endpoint_unhealthy",
    b"request_malformed", b"request_headers_too_large", b"request_header_timeout", b"low_version",
    b"absolute_url_refused", b"path_refused", b"path_redirect", b"route_not_found", b"cluster_not_found",
    b"direct_response", b"redirect", b"upgrade_refused", b"request_overflow", b"pending_request_overflow",
    b"reached_concurrency_limit",
    b"stream_idle_timeout", b"overload", b"cors_preflight", b"fault_filter_abort", b"local_rate_limited",
    b"response_timeout", b"response_malformed", b"response_headers_too_large",
    b"upstream_closed_before_response", b"upstream_closed_in_response",
    b"downstream_closed_in_request", b"downstream_closed_in_response",
    b"request_timeout", b"per_try_timeout", b"max_stream_duration",
    b"request_too_slow", b"response_read_too_slowly", b"request_body_too_large", b"response_body_too_large",
    b"retry_overflow",
]


cdef const char* flag_name(int index) noexcept nogil:
    return FLAG_NAMES[index]


def flag_names(uint32_t flags):
    """The short names of the flags that are set (list[str])."""
    return [FLAG_NAMES[index].decode() for index in range(<int>FLAG_COUNT) if flags >> index & 1]


cdef const char* detail_text(int detail) noexcept nogil:
    return DETAIL_TEXTS[detail]


FLAGS = {FLAG_NAMES[index].decode(): 1 << index for index in range(<int>FLAG_COUNT)}
DETAILS = {DETAIL_TEXTS[index].decode(): index for index in range(1, <int>DETAIL_COUNT)}

"""Envoy's response flags as text; the meanings stand in response_flags.pxd."""

cdef const char* FLAG_NAMES[FLAG_COUNT]
FLAG_NAMES[:] = [b"UH", b"UF", b"UC", b"DC", b"SI", b"DT", b"OM", b"DPE", b"NR", b"UO", b"URX"]

cdef const char* DETAIL_TEXTS[DETAIL_COUNT]
DETAIL_TEXTS[:] = [
    b"", b"downstream_reset", b"upstream_reset", b"connect_failed", b"connect_timeout", b"no_endpoint",
    b"idle_timeout", b"max_connection_duration", b"connection_limit", b"out_of_memory", b"out_of_descriptors",
    b"proxy_protocol_malformed", b"proxy_protocol_timeout", b"proxy_protocol_missing", b"drain_limit",
    b"tls_handshake_failed", b"tls_handshake_cut", b"tls_handshake_timeout", b"tls_truncated", b"tls_bad_record",
    b"client_hello_malformed", b"client_hello_oversized", b"client_hello_cut", b"client_hello_timeout",
    b"no_filter_chain",
    b"upstream_overflow", b"upstream_pending_overflow", b"endpoint_removed", b"endpoint_unhealthy",
]


cdef const char* flag_name(int index) noexcept nogil:
    return FLAG_NAMES[index]


cdef const char* detail_text(int detail) noexcept nogil:
    return DETAIL_TEXTS[detail]

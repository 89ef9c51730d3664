"""The `http` settings of listeners and clusters; the contract stands in http_compiler.pxd."""

from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcpy
from mesh_core.control.local_reply_compiler cimport compile_local_replies
from mesh_core.control.parts cimport ppm
from mesh_core.http1.limits cimport http1_limits_default
from mesh_core.http1.path cimport (
    ESCAPED_SLASHES_DECODE, ESCAPED_SLASHES_KEEP, ESCAPED_SLASHES_REDIRECT, ESCAPED_SLASHES_REFUSE,
)
from mesh_core.snapshot.http_settings cimport (
    FORWARDED_APPEND, FORWARDED_KEEP, FORWARDED_OVERWRITE, PROPAGATE_B3, PROPAGATE_B3_MULTI, PROPAGATE_W3C, TracingC,
)

ESCAPED_SLASHES = {
    "keep_unchanged": ESCAPED_SLASHES_KEEP,
    "reject_request": ESCAPED_SLASHES_REFUSE,
    "unescape_and_redirect": ESCAPED_SLASHES_REDIRECT,
    "unescape_and_forward": ESCAPED_SLASHES_DECODE,
}
PROPAGATION = {"w3c": PROPAGATE_W3C, "b3": PROPAGATE_B3, "b3_multi": PROPAGATE_B3_MULTI}
FORWARDED_HEADERS = {
    "append": FORWARDED_APPEND,
    "overwrite": FORWARDED_OVERWRITE,
    "keep": FORWARDED_KEEP,
}


cdef int compile_http_settings(Snapshot snapshot, HttpSettingsC* out, settings) except -1:
    cdef bytes host = (settings.default_host_for_http_10 or "").encode()
    cdef uint8_t* copy = <uint8_t*>snapshot.allocate(len(host))
    memcpy(copy, <const char*>host, len(host))
    out.default_host.bytes = copy
    out.default_host.size = len(host)
    http1_limits_default(&out.limits)
    out.limits.head_bytes = settings.max_header_bytes
    out.limits.start_line_bytes = min(settings.max_start_line_bytes, settings.max_header_bytes)
    out.limits.field_count = settings.max_header_count
    out.path.normalize = settings.normalize_path
    out.path.merge_slashes = settings.merge_slashes
    out.path.escaped_slashes = ESCAPED_SLASHES[settings.path_with_escaped_slashes_action]
    out.idle_timeout_ms = settings.idle_timeout_ms
    out.request_headers_timeout_ms = settings.request_headers_timeout_ms
    out.stream_idle_timeout_ms = settings.stream_idle_timeout_ms
    out.request_timeout_ms = settings.request_timeout_ms
    out.max_stream_duration_ms = settings.max_stream_duration_ms
    out.least_stream_timeout_ms = min(filter(None, (
        settings.stream_idle_timeout_ms, settings.request_timeout_ms, settings.max_stream_duration_ms)), default=0)
    out.max_requests_per_connection = settings.max_requests_per_connection or 0
    out.forwarded_headers = FORWARDED_HEADERS[settings.forwarded_headers]
    out.generate_request_id = settings.generate_request_id
    out.preserve_external_request_id = settings.preserve_external_request_id
    out.accept_http_10 = settings.accept_http_10
    out.allow_absolute_url = settings.allow_absolute_url
    out.explain = settings.explain
    if settings.min_body_rate is not None:
        out.min_body_rate.request = settings.min_body_rate.request_bytes_per_s
        out.min_body_rate.response = settings.min_body_rate.response_bytes_per_s
        out.min_body_rate.grace_ms = settings.min_body_rate.grace_ms
        out.min_body_rate.window_ms = settings.min_body_rate.window_ms
    out.local_replies = compile_local_replies(snapshot, settings.local_replies)
    out.local_reply_count = <uint32_t>len(settings.local_replies)
    if settings.tracing is not None:
        out.tracing = compile_tracing(snapshot, settings.tracing)
    return 0


cdef TracingC* compile_tracing(Snapshot snapshot, settings) except NULL:
    cdef TracingC* out = <TracingC*>snapshot.allocate(sizeof(TracingC))
    for index, name in enumerate(settings.propagation):
        out.formats[index] = PROPAGATION[name]
    out.format_count = <uint32_t>len(settings.propagation)
    out.sampling_ppm = ppm(settings.random_sampling)
    return out


cdef int compile_cluster_http(ClusterHttpC* out, settings) except -1:
    http1_limits_default(&out.limits)
    out.limits.head_bytes = settings.max_header_bytes
    out.limits.start_line_bytes = min(out.limits.start_line_bytes, out.limits.head_bytes)
    out.limits.field_count = settings.max_header_count
    out.idle_timeout_ms = settings.idle_timeout_ms
    out.unrepeatable_idle_ms = settings.max_unrepeatable_idle_ms
    out.learns_idle_timeouts = settings.learn_idle_timeout
    out.max_connection_duration_ms = settings.max_connection_duration_ms or 0
    out.max_requests_per_connection = settings.max_requests_per_connection or 0
    out.max_idle_connections = settings.max_idle_connections
    return 0

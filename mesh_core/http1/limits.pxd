"""What one message may take; beyond it is a definite error.

Heads: Envoy's defaults (`max_request_headers_kb`, `max_headers_count`). Start lines: RFC 9112, section 3, asks for
8,000 bytes at least.
"""

from libc.stdint cimport uint32_t

cdef enum:
    HTTP1_HEAD_BYTES = 61440
    HTTP1_START_LINE_BYTES = 8192
    HTTP1_FIELD_COUNT = 100
    HTTP1_CHUNK_LINE_BYTES = 1024
    HTTP1_CHUNK_EXTENSION_BYTES = 16384


cdef struct Http1LimitsC:
    uint32_t head_bytes             # a head, or a trailer section, with its empty line; below 2^31
    uint32_t start_line_bytes       # without its CRLF
    uint32_t field_count
    uint32_t chunk_line_bytes       # a chunk's size and extensions, without the CRLF
    uint32_t chunk_extension_bytes  # extensions of all chunks of one body: they are read and thrown away


cdef inline void http1_limits_default(Http1LimitsC* limits) noexcept nogil:
    limits.head_bytes = HTTP1_HEAD_BYTES
    limits.start_line_bytes = HTTP1_START_LINE_BYTES
    limits.field_count = HTTP1_FIELD_COUNT
    limits.chunk_line_bytes = HTTP1_CHUNK_LINE_BYTES
    limits.chunk_extension_bytes = HTTP1_CHUNK_EXTENSION_BYTES

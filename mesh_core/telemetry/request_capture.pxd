"""Texts of a request's and its response's heads, kept until the stream ends and its access record is written.

Without an access log a stream has no capture and none of this is called. Worker thread, no GIL, but for the plan, which
is made on the control thread and then read only.
"""

from libc.stdint cimport int16_t, uint8_t, uint16_t, uint32_t, uint64_t
from mesh_core.http1.grammar cimport SliceC
from mesh_core.http1.head cimport HeadC
from mesh_core.telemetry.access_record cimport ExtraTextC

cdef enum:
    CAPTURE_BYTES = 1756       # for all texts of one stream: a whole CaptureC is 2 KiB
    CAPTURED_COUNT = 6         # texts of access_record.pxd, from TEXT_METHOD on
    CAPTURE_EXTRA_LIMIT = 32   # header fields that a format may ask for, beside those that every record has
    CAPTURE_SPARES_KEPT = 256  # half a MiB for each worker


# A header field to keep.
cdef struct CapturedNameC:
    const uint8_t* name        # in lower case
    uint16_t size
    uint16_t limit             # bytes of the value to keep
    int16_t text               # which of the texts that every record has; -1: an extra one
    uint16_t extra             # else which of those
    uint32_t key               # header_key


# What the access log's format asks for. Owner: the snapshot.
cdef struct CapturePlanC:
    uint32_t texts             # bits of TEXT_METHOD, TEXT_PATH and TEXT_AUTHORITY, which are no fields
    uint64_t request_sizes     # bit n: one of the names has n bytes; bit 63: that many or more
    uint64_t response_sizes
    const CapturedNameC* request_names
    uint32_t request_count
    const CapturedNameC* response_names
    uint32_t response_count
    uint16_t extra_count


# Owner: the stream, from capture_take to capture_give.
cdef struct CaptureC:
    CaptureC* next             # in the pool
    uint16_t used              # of `bytes`
    uint16_t extra_count       # of the plan
    uint16_t ats[CAPTURED_COUNT]  # where the text begins in `bytes`, from TEXT_METHOD on
    uint16_t sizes[CAPTURED_COUNT]
    ExtraTextC extras[CAPTURE_EXTRA_LIMIT]
    uint8_t bytes[CAPTURE_BYTES]


# A worker's spare captures. Owner: CoreC.
cdef struct CapturePoolC:
    CaptureC* spare
    uint32_t spare_count


# An empty capture, or NULL when memory is exhausted: then the record goes without these texts.
cdef CaptureC* capture_take(CapturePoolC* pool) noexcept nogil

# NULL is allowed.
cdef void capture_give(CapturePoolC* pool, CaptureC* capture) noexcept nogil
cdef void capture_pool_destroy(CapturePoolC* pool) noexcept nogil

# Copy what the plan asks for out of a complete request head; `authority` is that of its framing. To be called before
# the head is edited. A text that finds no room is cut.
cdef void request_capture(
    const CapturePlanC* plan, const HeadC* head, const uint8_t* data, SliceC authority, CaptureC* capture
) noexcept nogil

# The same of the final response's head, as the upstream sent it.
cdef void response_capture(
    const CapturePlanC* plan, const HeadC* head, const uint8_t* data, CaptureC* capture
) noexcept nogil

# Set one of the captured texts (TEXT_REQUEST_ID …) to what the proxy made itself.
cdef void capture_text(CaptureC* capture, int which, const uint8_t* text, size_t size) noexcept nogil

# What a header field is known by in records: the same for the same name, whatever the plan. `name` in lower case.
cdef uint32_t header_key(const uint8_t* name, size_t size, bint is_response) noexcept nogil

"""The access record of a request; the contract stands in request_record.pxd."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy
from mesh_core.runtime.ring cimport ring_commit, ring_reserve
from mesh_core.telemetry.access_record cimport (
    ACCESS_REQUEST, REQUEST_TEXT_COUNT, TEXT_METHOD, ExtraTextC, RequestEntryC, access_text_add,
)
from mesh_core.telemetry.request_capture cimport CAPTURED_COUNT


cdef uint32_t add_captured(AccessTextsC* texts, const CaptureC* capture, uint16_t* extra_count) noexcept nogil:
    """Add the captured texts; the bytes of the extra ones, with their entries."""
    cdef uint32_t extra_bytes = 0
    cdef int index
    extra_count[0] = 0
    if capture == NULL:
        return 0
    for index in range(CAPTURED_COUNT):
        if capture.sizes[index]:
            access_text_add(
                texts, TEXT_METHOD + index, <const char*>capture.bytes + capture.ats[index], capture.sizes[index])
    for index in range(capture.extra_count):
        if capture.extras[index].size:
            extra_count[0] += 1
            extra_bytes += <uint32_t>sizeof(ExtraTextC) + capture.extras[index].size
    return extra_bytes


cdef uint8_t* put_entries(uint8_t* place, const CaptureC* capture) noexcept nogil:
    cdef int index
    for index in range(capture.extra_count):
        if capture.extras[index].size:
            (<ExtraTextC*>place)[0] = capture.extras[index]
            place += sizeof(ExtraTextC)
    return place


cdef void put_extras(uint8_t* place, const CaptureC* capture) noexcept nogil:
    cdef int index
    for index in range(capture.extra_count):
        if capture.extras[index].size:
            memcpy(place, capture.bytes + capture.extras[index].at, capture.extras[index].size)
            place += capture.extras[index].size


cdef void request_log(
    RingC* ring, const RequestRecordC* record, AccessTextsC* texts, const CaptureC* capture
) noexcept nogil:
    cdef uint16_t extra_count
    cdef uint32_t size = <uint32_t>sizeof(RequestEntryC) + add_captured(texts, capture, &extra_count)
    cdef RequestEntryC* entry
    cdef uint8_t* place
    cdef int index
    size += texts.total
    entry = <RequestEntryC*>ring_reserve(ring, size)
    if entry == NULL:
        return
    entry.kind = ACCESS_REQUEST
    entry.extra_count = extra_count
    entry.record = record[0]
    memcpy(entry.text_sizes, texts.sizes, sizeof(entry.text_sizes))
    place = <uint8_t*>(entry + 1)
    if extra_count:
        place = put_entries(place, capture)
    for index in range(REQUEST_TEXT_COUNT):
        if texts.sizes[index]:
            memcpy(place, texts.texts[index], texts.sizes[index])
            place += texts.sizes[index]
    if extra_count:
        put_extras(place, capture)
    ring_commit(ring, size)

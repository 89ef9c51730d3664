"""Texts of heads, kept for the access record; the contract stands in request_capture.pxd."""

from libc.string cimport memcpy, memset
from mesh_core.http1.grammar cimport equals_ignoring_case
from mesh_core.http1.target cimport TARGET_AUTHORITY
from mesh_core.runtime.memory cimport memory_alloc, memory_free
from mesh_core.telemetry.access_record cimport (
    ACCESS_PATH_LIMIT, ACCESS_TEXT_LIMIT, TEXT_AUTHORITY, TEXT_METHOD, TEXT_PATH,
)
from mesh_core.upstream.hashing cimport hash_bytes


cdef CaptureC* capture_take(CapturePoolC* pool) noexcept nogil:
    cdef CaptureC* capture = pool.spare
    if capture == NULL:
        return <CaptureC*>memory_alloc(sizeof(CaptureC))
    pool.spare = capture.next
    pool.spare_count -= 1
    capture.used = 0
    capture.extra_count = 0
    memset(capture.sizes, 0, sizeof(capture.sizes))
    return capture


cdef void capture_give(CapturePoolC* pool, CaptureC* capture) noexcept nogil:
    if capture == NULL:
        return
    if pool.spare_count >= CAPTURE_SPARES_KEPT:
        memory_free(capture)
        return
    capture.next = pool.spare
    pool.spare = capture
    pool.spare_count += 1


cdef void capture_pool_destroy(CapturePoolC* pool) noexcept nogil:
    cdef CaptureC* capture
    while pool.spare != NULL:
        capture = pool.spare
        pool.spare = capture.next
        memory_free(capture)
    pool.spare_count = 0


cdef inline uint16_t keep(
    CaptureC* capture, const uint8_t* text, size_t size, size_t limit, uint16_t* at
) noexcept nogil:
    """Copy as much as there is room for; how many bytes that was."""
    cdef size_t kept = min(min(size, limit), sizeof(capture.bytes) - capture.used)
    memcpy(capture.bytes + capture.used, text, kept)
    at[0] = capture.used
    capture.used += <uint16_t>kept
    return <uint16_t>kept


cdef void capture_text(CaptureC* capture, int which, const uint8_t* text, size_t size) noexcept nogil:
    cdef int place = which - TEXT_METHOD
    cdef size_t limit = ACCESS_PATH_LIMIT if which == TEXT_PATH else ACCESS_TEXT_LIMIT
    capture.sizes[place] = keep(capture, text, size, limit, &capture.ats[place])


cdef void capture_field(
    CaptureC* capture, const CapturedNameC* name, const uint8_t* value, size_t size
) noexcept nogil:
    """The first field of a name counts, as in Envoy."""
    cdef ExtraTextC* extra
    if name.text >= 0:
        if not capture.sizes[name.text - TEXT_METHOD]:
            capture_text(capture, name.text, value, size)
        return
    extra = &capture.extras[name.extra]
    if not extra.size:
        extra.key = name.key
        extra.size = keep(capture, value, size, name.limit, &extra.at)


cdef void capture_fields(
    const CapturedNameC* names, uint32_t count, uint64_t sizes, const HeadC* head, const uint8_t* data,
    CaptureC* capture
) noexcept nogil:
    cdef uint32_t index, each
    cdef SliceC name
    for index in range(head.field_count):
        name = head.fields[index].name
        if not sizes >> min(name.size, <uint32_t>63) & 1:
            continue
        for each in range(count):
            if names[each].size == name.size and equals_ignoring_case(data + name.at, names[each].name, name.size):
                capture_field(capture, &names[each], data + head.fields[index].value.at, head.fields[index].value.size)


cdef void begin_extras(const CapturePlanC* plan, CaptureC* capture) noexcept nogil:
    if capture.extra_count == plan.extra_count:
        return
    capture.extra_count = plan.extra_count
    memset(capture.extras, 0, plan.extra_count * sizeof(ExtraTextC))


cdef void request_capture(
    const CapturePlanC* plan, const HeadC* head, const uint8_t* data, SliceC authority, CaptureC* capture
) noexcept nogil:
    cdef size_t size
    begin_extras(plan, capture)
    if plan.texts >> <int>TEXT_METHOD & 1:
        capture_text(capture, TEXT_METHOD, data + head.method.at, head.method.size)
    if plan.texts >> <int>TEXT_PATH & 1 and head.target.form != TARGET_AUTHORITY:
        size = head.target.path.size + (1 + head.target.query.size if head.target.has_query else 0)
        capture_text(capture, TEXT_PATH, data + head.target.path.at, size)
    if plan.texts >> <int>TEXT_AUTHORITY & 1:
        capture_text(capture, TEXT_AUTHORITY, data + authority.at, authority.size)
    capture_fields(plan.request_names, plan.request_count, plan.request_sizes, head, data, capture)


cdef void response_capture(
    const CapturePlanC* plan, const HeadC* head, const uint8_t* data, CaptureC* capture
) noexcept nogil:
    if plan.response_count:
        begin_extras(plan, capture)
        capture_fields(plan.response_names, plan.response_count, plan.response_sizes, head, data, capture)


cdef uint32_t header_key(const uint8_t* name, size_t size, bint is_response) noexcept nogil:
    return <uint32_t>hash_bytes(name, size, is_response)

"""Bytes that wait; the contract stands in input.pxd."""

from libc.string cimport memcpy, memmove
from mesh_core.http1.head cimport HEAD_INCOMPLETE, head_begin, head_parse
from mesh_core.runtime.memory cimport memory_alloc, memory_free

cdef enum:
    FIRST_BYTES = 1024


cdef int input_head(
    InputC* input, int kind, const Http1LimitsC* limits, FieldC* fields, HeadC* scratch,
    const uint8_t** data, size_t* size, HeadC** head
) noexcept nogil:
    cdef int verdict
    if input.size:
        if size[0] and not input_keep(input, data[0], size[0]):
            return INPUT_NO_MEMORY
        data[0] = input.data
        size[0] = input.size
    if input.head != NULL:
        head[0] = input.head
    else:
        head[0] = scratch
        head_begin(scratch, kind, fields)
    verdict = head_parse(head[0], data[0], size[0], limits)
    if verdict != HEAD_INCOMPLETE:
        return verdict
    if input.head == NULL and not keep_head(input, scratch, limits.field_count):
        return INPUT_NO_MEMORY
    if data[0] != input.data and not input_keep(input, data[0], size[0]):
        return INPUT_NO_MEMORY
    return HEAD_INCOMPLETE


cdef bint keep_head(InputC* input, const HeadC* head, uint32_t field_count) noexcept nogil:
    """Go on from where parsing has stopped, when more has come."""
    input.head = <HeadC*>memory_alloc(sizeof(HeadC) + field_count * sizeof(FieldC))
    if input.head == NULL:
        return False
    memcpy(input.head, head, sizeof(HeadC))
    input.head.fields = <FieldC*>(input.head + 1)
    memcpy(input.head.fields, head.fields, head.field_count * sizeof(FieldC))
    return True


cdef bint input_rest(InputC* input, const uint8_t* data, size_t size) noexcept nogil:
    memory_free(input.head)
    input.head = NULL
    if not size:
        input_clear(input)
        return True
    if input_holds(input, data):
        memmove(input.data, data, size)
        input.size = <uint32_t>size
        return True
    input.size = 0
    return input_keep(input, data, size)


cdef bint input_keep(InputC* input, const uint8_t* data, size_t size) noexcept nogil:
    cdef uint8_t* larger
    cdef size_t capacity = max(input.capacity, <uint32_t>FIRST_BYTES)
    while capacity < input.size + size:
        capacity *= 2
    if capacity != input.capacity or input.data == NULL:
        larger = <uint8_t*>memory_alloc(capacity)
        if larger == NULL:
            return False
        if input.size:
            memcpy(larger, input.data, input.size)
        memory_free(input.data)
        input.data = larger
        input.capacity = <uint32_t>capacity
    if size:
        memcpy(input.data + input.size, data, size)
        input.size += <uint32_t>size
    return True


cdef void input_clear(InputC* input) noexcept nogil:
    memory_free(input.data)
    memory_free(input.head)
    input.data = NULL
    input.head = NULL
    input.size = input.capacity = 0

"""The field Keep-Alive; the contract stands in keep_alive.pxd."""

from libc.stdint cimport uint32_t
from mesh_core.http1.field_names cimport FIELD_KEEP_ALIVE
from mesh_core.http1.grammar cimport SliceC, equals_ignoring_case, list_next
from mesh_core.http1.head cimport FieldC

cdef enum:
    PARAMETER_BYTES = 8        # timeout=
    DIGITS_MOST = 6            # more than eleven days is as good as for ever


cdef int64_t keep_alive_timeout(const HeadC* head, const uint8_t* data) noexcept nogil:
    cdef const FieldC* field
    cdef SliceC parameter
    cdef uint32_t index, at
    if not head.names & 1 << FIELD_KEEP_ALIVE:
        return -1
    for index in range(head.field_count):
        field = &head.fields[index]
        if field.id != FIELD_KEEP_ALIVE:
            continue
        at = 0
        while list_next(data + field.value.at, &at, <uint32_t>field.value.size, &parameter):
            if PARAMETER_BYTES < parameter.size <= PARAMETER_BYTES + DIGITS_MOST and equals_ignoring_case(
                    data + field.value.at + parameter.at, <const uint8_t*>b"timeout=", PARAMETER_BYTES):
                return seconds(
                    data + field.value.at + parameter.at + PARAMETER_BYTES, parameter.size - PARAMETER_BYTES)
    return -1


cdef int64_t seconds(const uint8_t* digits, size_t size) noexcept nogil:
    """As milliseconds; -1 for what is no number."""
    cdef int64_t number = 0
    cdef size_t index
    for index in range(size):
        if not c"0" <= digits[index] <= c"9":
            return -1
        number = number * 10 + digits[index] - c"0"
    return number * 1000

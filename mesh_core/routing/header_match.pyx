"""What a header must be like; the contract stands in header_match.pxd."""

from libc.stdint cimport uint32_t
from mesh_core.http1.field_names cimport FIELD_UPGRADE
from mesh_core.http1.grammar cimport equals_ignoring_case
from mesh_core.http1.head cimport FIELD_REMOVED, FieldC
from mesh_core.routing.value_match cimport ValueStateC, value_begin, value_fits, value_piece


cdef bint header_fits(const HeaderMatchC* match, const RequestViewC* request) noexcept nogil:
    cdef ValueStateC state = value_begin(&match.value)
    cdef const FieldC* field
    cdef uint32_t index
    cdef bint present = False
    for index in range(request.head.field_count):
        field = &request.head.fields[index]
        if field.name.size != match.name.size or (field.flags & FIELD_REMOVED and field.id != FIELD_UPGRADE):
            continue
        if not equals_ignoring_case(request.data + field.name.at, match.name.bytes, match.name.size):
            continue
        if present:
            value_piece(&state, match.separator.bytes, match.separator.size)
        present = True
        value_piece(&state, request.data + field.value.at, field.value.size)
    return (present and value_fits(&state)) != match.value.invert

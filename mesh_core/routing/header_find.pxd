"""Looking for a request's header by its name. Worker thread, no GIL."""

from libc.stdint cimport uint32_t
from libc.string cimport strlen
from mesh_core.http1.grammar cimport equals_ignoring_case
from mesh_core.http1.head cimport FIELD_REMOVED, FieldC
from mesh_core.http1.serialize cimport TextC
from mesh_core.routing.request_view cimport RequestViewC


# The value of the first field of that name that is passed on: False when there is none.
cdef inline bint header_find(const RequestViewC* request, const char* name, TextC* value) noexcept nogil:
    cdef size_t size = strlen(name)
    cdef const FieldC* field
    cdef uint32_t index
    for index in range(request.head.field_count):
        field = &request.head.fields[index]
        if field.name.size == size and not field.flags & FIELD_REMOVED and (
                equals_ignoring_case(request.data + field.name.at, <const unsigned char*>name, size)):
            value[0] = TextC(request.data + field.value.at, field.value.size)
            return True
    return False

"""The trace context of a request: taken from its head or begun, and passed on. Worker thread, no GIL."""

from libc.stdint cimport uint8_t, uint32_t
from mesh_core.http.stream cimport StreamC
from mesh_core.http1.head cimport HeadC
from mesh_core.http1.serialize cimport AddedFieldC

cdef enum:
    TRACE_FIELDS_MOST = 6
    TRACE_ROOM_BYTES = 256


# Fill in `stream.trace`, by the settings of its listener, which has some.
cdef void trace_begin(StreamC* stream, const HeadC* head, const uint8_t* data) noexcept nogil

# Pass it on: fields of the head that told the hop before's context become FIELD_REMOVED, and those that tell this hop's
# are put behind the first `count` of `added`, which has room for TRACE_FIELDS_MOST more. They borrow `room`, which has
# TRACE_ROOM_BYTES.
cdef void trace_fields_add(
    const StreamC* stream, HeadC* head, const uint8_t* data, AddedFieldC* added, uint32_t* count, uint8_t* room
) noexcept nogil

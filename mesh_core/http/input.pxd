"""Bytes of a peer that wait: the begin of a head, or what was sent behind a message. Worker thread, no GIL."""

from libc.stdint cimport uint8_t, uint32_t
from mesh_core.http1.head cimport FieldC, HeadC
from mesh_core.http1.limits cimport Http1LimitsC


# Owner: the struct that it is embedded in, which calls input_clear before it goes. It takes memory only while it keeps
# something.
cdef struct InputC:
    uint8_t* data              # owned; NULL: nothing is kept
    uint32_t size
    uint32_t capacity
    HeadC* head                # owned, its fields behind it; NULL unless a head has begun


# Parse a head that begins with what is kept and goes on with data[0:size]; `kind` is a HeadKind. HEAD_COMPLETE,
# HEAD_INCOMPLETE (then all of it is kept), an Http1Error, or INPUT_NO_MEMORY. With HEAD_COMPLETE, `data[0:size]` become
# the bytes that begin with the head, and `head[0]` it: both are good until input_rest. `fields` has room for
# limits.field_count.
cdef int input_head(
    InputC* input, int kind, const Http1LimitsC* limits, FieldC* fields, HeadC* scratch,
    const uint8_t** data, size_t* size, HeadC** head
) noexcept nogil

cdef enum:
    INPUT_NO_MEMORY = -1000    # no Http1Error

# Whether `data` points into what is kept.
cdef inline bint input_holds(const InputC* input, const uint8_t* data) noexcept nogil:
    return input.data != NULL and input.data <= data <= input.data + input.size

# Keep only data[0:size] from now on, which may be a part of what is kept. False when memory is exhausted.
cdef bint input_rest(InputC* input, const uint8_t* data, size_t size) noexcept nogil

# Put these behind what is kept. False when memory is exhausted.
cdef bint input_keep(InputC* input, const uint8_t* data, size_t size) noexcept nogil

# Keep nothing.
cdef void input_clear(InputC* input) noexcept nogil

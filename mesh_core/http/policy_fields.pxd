"""Fields that traffic policies put into responses, the upstream's and our own. Worker thread, no GIL."""

from libc.stdint cimport uint8_t, uint32_t
from mesh_core.http.stream cimport StreamC
from mesh_core.http1.head cimport HeadC
from mesh_core.http1.serialize cimport AddedFieldC

cdef enum:
    POLICY_FIELDS_MOST = 10


# Whether there may be any.
cdef inline bint has_policy_fields(const StreamC* stream) noexcept nogil:
    return stream.route != NULL and (stream.policy != NULL or stream.route.cors != NULL)

# Put them behind the first `count` of `added`, which has room for POLICY_FIELDS_MOST more; fields of `head` in whose
# place they come become FIELD_REMOVED. They borrow from the stream and its snapshot.
cdef void policy_fields_add(
    StreamC* stream, HeadC* head, const uint8_t* data, AddedFieldC* added, uint32_t* count
) noexcept nogil

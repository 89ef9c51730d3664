"""Changes of a message's headers that the configuration asks for. Worker thread, no GIL."""

from libc.stdint cimport uint8_t, uint32_t
from mesh_core.http1.head cimport HeadC
from mesh_core.http1.serialize cimport AddedFieldC, TextC

cdef enum HeaderEditKind:
    EDIT_REMOVE
    EDIT_SET
    EDIT_ADD

cdef enum:
    HEADER_EDITS_EACH = 16     # of one kind, in one HeaderEditsC, at most
    HEADER_ADDED_MOST = 64     # fields that those of a route and of a cluster add together, at most


# The compiler lets no name pass that frames a message or is for one connection only.
cdef struct HeaderEditC:
    uint8_t kind               # HeaderEditKind
    TextC name                 # a token; in whatever case
    TextC value                # of EDIT_SET and EDIT_ADD


cdef struct HeaderEditsC:
    const HeaderEditC* edits   # removals first, then what is set, then what is added
    uint32_t count


# Carry out `edits`: fields of `head` (request, response or trailers) that go become FIELD_REMOVED, and those that come
# are put behind the first `count` of `added`, which has room for `capacity`. Earlier edits, those of `added`, are
# subject to later ones. The new count; what does not fit is left out, so give room for HEADER_ADDED_MOST. `added`
# borrows from `edits`, so from the snapshot.
cdef inline uint32_t header_edits_apply(
    const HeaderEditsC* edits, HeadC* head, const uint8_t* data, AddedFieldC* added, uint32_t count, uint32_t capacity
) noexcept nogil:
    return carry_out(edits, head, data, added, count, capacity) if edits.count else count

cdef uint32_t carry_out(
    const HeaderEditsC* edits, HeadC* head, const uint8_t* data, AddedFieldC* added, uint32_t count, uint32_t capacity
) noexcept nogil

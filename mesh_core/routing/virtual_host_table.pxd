"""The virtual hosts of a listener or filter chain, by hash. Worker thread or control thread, no GIL.

A look-up goes once over the host's name from its end, as far as the longest text of the table is, and has one place to
look at for each label.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from mesh_core.http1.serialize cimport TextC
from mesh_core.routing.path_table cimport PathTableC
from mesh_core.snapshot.tables cimport NameC


cdef struct VirtualHostC:
    NameC name
    PathTableC paths


cdef struct HostPortC:
    uint16_t port
    const VirtualHostC* host


# A host in lower case, or what hosts end with, from a dot on.
cdef struct HostPlaceC:
    uint64_t hash
    TextC text                 # NULL: an empty place
    const VirtualHostC* every  # for ports that are not named; NULL: none
    const HostPortC* ports     # ascending
    uint32_t port_count


cdef struct VirtualHostTableC:
    HostPlaceC* places         # a power of two, at most half of them taken
    uint32_t mask
    uint32_t longest           # bytes of the longest text
    uint64_t sizes             # the bits of the sizes of texts, modulo 64: most looks at memory are saved
    uint64_t seed
    HostPlaceC any             # for every host


# The virtual host that requests to `authority` (a host with or without a port) belong to; NULL: there is none.
# `secure`: a port that is not given is 443 rather than 80.
cdef const VirtualHostC* virtual_host_find(
    const VirtualHostTableC* table, TextC authority, bint secure
) noexcept nogil

# The place of a text, in lower case, or the empty one where it would be. `hash` is of its bytes, the last one first.
cdef HostPlaceC* host_place(
    const VirtualHostTableC* table, uint64_t hash, const uint8_t* text, size_t size
) noexcept nogil

"""A request that is kept while it goes upstream, to be copied to other clusters once it is whole.

Worker thread, no GIL.
"""

from libc.stdint cimport uint8_t, uint32_t
from mesh_core.routing.mirror cimport MirrorsC


# Owner: StreamC.mirroring. For each mirror that is chosen it holds a place under that one's max_concurrent.
cdef struct MirroringC:
    const MirrorsC* mirrors
    uint32_t worker            # whose counters
    uint32_t chosen            # a bit for each of the mirrors
    uint8_t* data              # the head as it went, and the body behind it; owned
    size_t size
    size_t capacity
    size_t head_bytes
    size_t limit               # of the body, of the mirror that takes most
    bint lost                  # it was too long, or memory was exhausted: nothing is kept any more


# Keep these too, if there is room.
cdef void mirroring_put(MirroringC* mirroring, const uint8_t* data, size_t size) noexcept nogil

# Nobody gets a copy: leave the places, count why (a MirrorStat), free it.
cdef void mirroring_end(MirroringC* mirroring, int stat) noexcept nogil

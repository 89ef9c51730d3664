"""What a copy of a request says: the request as it went, its host called a shadow where that is asked for."""

from libc.stdint cimport uint8_t
from mesh_core.http.mirroring cimport MirroringC
from mesh_core.routing.mirror cimport MirrorC

cdef enum:
    COPY_MORE_BYTES = 7        # than the request itself, at most


# Write the copy of what was kept; how many bytes. There is room for them.
cdef size_t copy_message_write(const MirrorC* mirror, const MirroringC* mirroring, uint8_t* out) noexcept nogil

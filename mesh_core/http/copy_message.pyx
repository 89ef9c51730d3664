"""What a copy of a request says; the contract stands in copy_message.pxd. Worker thread, no GIL."""

from libc.string cimport memcpy
from mesh_core.http1.grammar cimport equals_ignoring_case

cdef const char* SUFFIX = b"-shadow"


cdef size_t copy_message_write(const MirrorC* mirror, const MirroringC* mirroring, uint8_t* out) noexcept nogil:
    cdef size_t at = host_end(mirroring.data, mirroring.head_bytes) if mirror.shadow_host else 0
    memcpy(out, mirroring.data, at)
    if at:
        memcpy(out + at, SUFFIX, COPY_MORE_BYTES)
        out += COPY_MORE_BYTES
    memcpy(out + at, mirroring.data + at, mirroring.size - at)
    return mirroring.size + (COPY_MORE_BYTES if at else 0)


cdef size_t host_end(const uint8_t* head, size_t size) noexcept nogil:
    """Where the host in a head of our own ends, its port not included; 0 when there is none."""
    cdef size_t at = 0, end, colon
    while at + 7 < size and (
            head[at] != c"\n" or not equals_ignoring_case(head + at + 1, <const uint8_t*>b"host:", 5)):
        at += 1
    if at + 7 >= size:
        return 0
    end = at + 6
    while end < size and head[end] != c"\r":
        end += 1
    colon = end
    while head[colon - 1] != c":" and head[colon - 1] != c"]" and head[colon - 1] != c" ":
        colon -= 1
    if head[colon - 1] == c":" and colon > at + 7:
        end = colon - 1
    return end if head[end - 1] != c" " and head[end - 1] != c":" else 0

"""The paths of a virtual host's matches; the contract stands in path_table.pxd."""

from libc.string cimport memcmp
from mesh_core.routing.text_hash cimport hash_byte, hash_end


cdef const PathNodeC* path_find(const PathTableC* table, TextC path, bint* whole) noexcept nogil:
    cdef const PathNodeC* found = table.root
    cdef PathPlaceC* place
    cdef uint64_t hash = table.seed
    cdef size_t index, end = min(path.size, <size_t>table.longest)
    whole[0] = False
    if table.longest == 0:
        return found
    for index in range(end):
        if path.bytes[index] == c"/" and table.sizes >> (index & 63) & 1 and index:
            place = path_place(table, hash_end(hash), path.bytes, index)
            if place.node != NULL:
                found = place.node
        hash = hash_byte(hash, path.bytes[index])
    if end and (end == path.size or path.bytes[end] == c"/"):
        place = path_place(table, hash_end(hash), path.bytes, end)
        if place.node != NULL:
            found = place.node
            whole[0] = end == path.size
    return found


cdef PathPlaceC* path_place(const PathTableC* table, uint64_t hash, const uint8_t* text, size_t size) noexcept nogil:
    cdef uint32_t index = <uint32_t>hash & table.mask
    cdef PathPlaceC* place = &table.places[index]
    while place.node != NULL and (
        place.hash != hash or place.node.text.size != size or memcmp(place.node.text.bytes, text, size) != 0
    ):
        index = (index + 1) & table.mask
        place = &table.places[index]
    return place

"""The paths of a virtual host's matches, by hash. Worker thread or control thread, no GIL.

A look-up goes once over the path, as far as the longest text of the table is, and has one place to look at for each
segment. It gives the longest node; those that fit besides are its parents.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from mesh_core.http1.serialize cimport TextC
from mesh_core.routing.route_match cimport RouteMatchesC


# What there is for a path and what is below it. The text is a path without a slash at its end, and that of the root is
# empty; one that is only of exact matches may end in a slash.
cdef struct PathNodeC:
    TextC text
    RouteMatchesC exact        # for this very path
    RouteMatchesC prefixes     # for it and what is below it
    const PathNodeC* parent    # the longest other one that this is below; NULL: of the root
    RouteMatchesC regexes      # that fit nothing else


# A place of the hash table.
cdef struct PathPlaceC:
    uint64_t hash
    PathNodeC* node            # NULL: empty


cdef struct PathTableC:
    PathPlaceC* places         # a power of two, at most half of them taken; the root has none
    uint32_t mask
    uint32_t longest           # bytes of the longest text
    uint64_t sizes             # the bits of the sizes of texts, modulo 64: most looks at memory are saved
    uint64_t seed
    PathNodeC* root
    bint has_regexes


# The longest node that `path` is at or below; the root where there is no other. `whole` becomes whether it is the path
# itself.
cdef const PathNodeC* path_find(const PathTableC* table, TextC path, bint* whole) noexcept nogil

# The place of a text, or the empty one where it would be.
cdef PathPlaceC* path_place(const PathTableC* table, uint64_t hash, const uint8_t* text, size_t size) noexcept nogil

"""Paths in one spelling, before policy looks at them. Sans-I/O, no GIL.

RFC 3986, sections 5.2.4 and 6.2.2; the options are Envoy's (`normalize_path`, `merge_slashes`,
`path_with_escaped_slashes_action`) and come in its order: escaped slashes, dot segments, repeated slashes.
"""

from libc.stdint cimport uint8_t

cdef enum EscapedSlashes:      # "%2F" and "%5C", in either case
    ESCAPED_SLASHES_KEEP
    ESCAPED_SLASHES_REFUSE
    ESCAPED_SLASHES_REDIRECT   # they become slashes; if there were any, the answer is a redirect to the new path
    ESCAPED_SLASHES_DECODE     # they become slashes

cdef enum PathVerdict:         # or an Http1Error, below 0
    PATH_SAME = 0
    PATH_CHANGED = 1
    PATH_REDIRECT = 2          # ESCAPED_SLASHES_REDIRECT applies


cdef struct PathOptionsC:
    bint normalize             # decode what needs no escape, take out dot segments
    bint merge_slashes
    uint8_t escaped_slashes    # EscapedSlashes


# Write the path (without a query) of `size` bytes to `out`, which has room for as many and may be `path` itself;
# `out_bytes` becomes the new length, which is never more. A PathVerdict or an Http1Error. A path that does not
# begin with a slash, as that of an asterisk form, is only checked for bad escapes.
cdef int path_normalize(
    const PathOptionsC* options, const uint8_t* path, size_t size, uint8_t* out, size_t* out_bytes
) noexcept nogil

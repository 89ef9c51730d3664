"""Which origins a route's pages may be of, and what browsers are told of it. Worker thread, no GIL.

Fetch standard, section 3.2 (HTTP's CORS protocol).
"""

from libc.stdint cimport uint32_t
from mesh_core.http1.serialize cimport TextC
from mesh_core.routing.regex cimport RegexC

cdef enum:
    CORS_ORIGIN_MOST = 320     # bytes of an Origin; a longer one is no origin (scheme, a name of 253, port)


# One origin, or all whose host ends alike.
cdef struct CorsOriginC:
    TextC text                 # the whole origin; of a pattern, the scheme with "://"
    bint is_pattern
    TextC suffix               # of a pattern: what the host ends with, its dot first; empty: any host
    TextC port                 # of a pattern, with ":"; empty: none


# Owner: the snapshot. Texts are values of fields as they are sent; empty: the field is not.
cdef struct CorsC:
    bint any_origin
    const CorsOriginC* origins
    uint32_t origin_count
    const RegexC* regexes
    uint32_t regex_count
    bint any_method
    bint any_header
    TextC methods
    TextC headers
    TextC exposed
    TextC max_age
    bint allow_credentials
    bint forward_unmatched


# Whether pages of `origin`, the value of an Origin field, are allowed.
cdef bint cors_allows(const CorsC* cors, TextC origin) noexcept nogil

# Whether what is told depends on the origin, so that caches must keep apart.
cdef inline bint cors_varies(const CorsC* cors) noexcept nogil:
    return not cors.any_origin or cors.allow_credentials

"""Request targets and authorities: which form, which parts. Sans-I/O, no GIL.

RFC 9112, section 3.2; RFC 9110, section 4.2; RFC 3986. Stricter than these where one thing could be spelt in two ways:
a host has no percent encoding, a port no leading zero.
"""

from libc.stdint cimport uint8_t, uint32_t
from mesh_core.http1.grammar cimport SliceC

cdef enum TargetForm:
    TARGET_ORIGIN              # /path?query
    TARGET_ABSOLUTE            # http://host:port/path?query, or https
    TARGET_AUTHORITY           # host:port, only of CONNECT
    TARGET_ASTERISK            # *, only of OPTIONS


cdef struct TargetC:
    uint8_t form               # TargetForm
    bint has_query             # also when the query is empty
    SliceC scheme              # only of TARGET_ABSOLUTE
    SliceC authority           # of TARGET_ABSOLUTE and TARGET_AUTHORITY, with its port
    SliceC path                # from its slash on; may be empty in TARGET_ABSOLUTE, is "*" in TARGET_ASTERISK
    SliceC query               # without "?"


# Take apart the target data[whole]; an Http1Error, and then `out` means nothing. `method` is one of HttpMethod.
cdef int target_parse(const uint8_t* data, SliceC whole, int method, TargetC* out) noexcept nogil

# Whether `text` of data, whose bytes before it are read as well, is a host with or without a port of 1 to 65535;
# `needs_port`: only with one.
cdef bint authority_is_valid(const uint8_t* data, SliceC text, bint needs_port) noexcept nogil

"""Cookies in requests, and Set-Cookie in responses (RFC 6265). Worker thread, no GIL."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from mesh_core.http1.head cimport HeadC
from mesh_core.http1.serialize cimport TextC

cdef enum:
    COOKIE_NO_TTL = -1         # no cookie is made
    COOKIE_WRITE_MOST = 4608   # what cookie_write writes at most: name 256, path 4096, and the rest


# A cookie of the configuration.
cdef struct CookieC:
    TextC name                 # a token
    TextC path                 # begins with a slash
    int64_t ttl_s              # 0: as long as the browser runs; COOKIE_NO_TTL


# Find the first cookie of that name in all Cookie fields, in their order. False when there is none. `value` becomes its
# value without the white space and one pair of double quotes around it: untrusted, and maybe empty; it borrows from
# `data`. Time grows with the size of those fields only.
cdef bint cookie_find(const HeadC* head, const uint8_t* data, const TextC* name, TextC* value) noexcept nogil

# The same in one Cookie field's value.
cdef bint cookie_find_in(const uint8_t* field, size_t size, const TextC* name, TextC* value) noexcept nogil

# Write a Set-Cookie field's value that gives `cookie` the value `value`; its size, or 0 when it does not fit.
cdef size_t cookie_write(const CookieC* cookie, const TextC* value, uint8_t* out, size_t capacity) noexcept nogil

# A libFuzzer entry: finds cookies, and checks what is found by another way of reading. Aborts on a violation.
cdef int fuzz_cookie(const uint8_t* data, size_t size) noexcept nogil

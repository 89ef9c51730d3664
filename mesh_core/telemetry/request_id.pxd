"""Names for requests that came without one: x-request-id, as Envoy makes it. Any thread, no GIL."""

from libc.stdint cimport uint8_t, uint64_t

cdef enum:
    REQUEST_ID_BYTES = 36


# A generator's state. Owner: CoreC. Never all zero.
cdef struct RequestIdsC:
    uint64_t state[2]


# Seed it from the kernel's random numbers. 0, or an errno.
cdef int request_ids_init(RequestIdsC* ids) noexcept nogil

# 64 random bits; so too.
cdef uint64_t request_id_number(RequestIdsC* ids) noexcept nogil

# Write a random UUID (RFC 9562, version 4) of REQUEST_ID_BYTES bytes, without NUL. Unique, but no secret.
cdef void request_id_write(RequestIdsC* ids, uint8_t* out) noexcept nogil

"""Dates of header fields, and the field Retry-After. Sans-I/O, no GIL. RFC 9110, sections 5.6.7 and 10.2.3."""

from libc.stdint cimport int64_t, uint8_t


# Seconds since the Unix epoch of a date in any of the three forms that a recipient must know; -1 for anything else, or
# a date before that.
cdef int64_t http_date_parse(const uint8_t* text, size_t size) noexcept nogil

# Milliseconds from `now_s` that a value of Retry-After asks for, not below 0; -1 for anything but a number of seconds,
# below a thousand million of them, or a date.
cdef int64_t retry_after_parse(const uint8_t* value, size_t size, int64_t now_s) noexcept nogil

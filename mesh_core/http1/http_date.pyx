"""Dates of header fields; the contract stands in http_date.pxd."""

from libc.string cimport memcpy, memset
from libc.time cimport time_t, tm

cdef extern from "<time.h>" nogil:
    # In the C locale, which the process never leaves.
    char* strptime(const char* text, const char* form, tm* out)
    time_t timegm(tm* date)

cdef enum:
    DATE_BYTES = 40            # the longest form has 33
    SECONDS_DIGITS = 9

cdef const char* FORMS[3]
FORMS[:] = [b"%a, %d %b %Y %H:%M:%S GMT", b"%A, %d-%b-%y %H:%M:%S GMT", b"%a %b %e %H:%M:%S %Y"]


cdef int64_t http_date_parse(const uint8_t* text, size_t size) noexcept nogil:
    cdef char[DATE_BYTES] copy
    cdef const char* end
    cdef tm date
    cdef int form
    if size >= DATE_BYTES:
        return -1
    memcpy(copy, text, size)
    copy[size] = 0
    for form in range(3):
        memset(&date, 0, sizeof(date))
        end = strptime(copy, FORMS[form], &date)
        if end == &copy[size]:
            return max(timegm(&date), <time_t>-1)
    return -1


cdef int64_t retry_after_parse(const uint8_t* value, size_t size, int64_t now_s) noexcept nogil:
    cdef int64_t seconds = 0
    cdef size_t index
    if not 0 < size <= SECONDS_DIGITS:
        seconds = http_date_parse(value, size)
        return -1 if seconds < 0 else max(seconds - now_s, <int64_t>0) * 1000
    for index in range(size):
        if not c"0" <= value[index] <= c"9":
            return -1
        seconds = seconds * 10 + value[index] - c"0"
    return seconds * 1000

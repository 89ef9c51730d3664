"""Fuzz target of times in fields; what it promises stands in values.pxd."""

from libc.stdint cimport int64_t, uint32_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset
from mesh_core.http1.field_names cimport FIELD_KEEP_ALIVE
from mesh_core.http1.fuzzing.parsed cimport check
from mesh_core.http1.grammar cimport SliceC
from mesh_core.http1.head cimport FieldC, HeadC
from mesh_core.http1.http_date cimport http_date_parse, retry_after_parse
from mesh_core.http1.keep_alive cimport keep_alive_timeout

cdef enum:
    VALUE_BYTES = 4096
    NAME_BYTES = 10            # keep-alive

cdef int64_t DATE_MOST_S = 253_402_300_861  # the year 9999, with a minute of 61 seconds
cdef int64_t SECONDS_MOST = 999_999_999     # of Retry-After as a number
cdef int64_t IDLE_MOST_MS = 999_999_000     # of Keep-Alive


cdef int fuzz_http1_values(const uint8_t* data, size_t size) noexcept nogil:
    cdef int64_t date, wait
    if size > VALUE_BYTES:
        return 0
    date = http_date_parse(data, size)
    check(-1 <= date <= DATE_MOST_S)
    wait = retry_after_parse(data, size, 0)
    check(-1 <= wait <= 1000 * max(DATE_MOST_S, SECONDS_MOST))
    if date >= 0:
        check(wait == 1000 * date)
        check(retry_after_parse(data, size, date) == 0)
        check(retry_after_parse(data, size, date + 1) == 0)
    elif wait >= 0:
        check(wait <= 1000 * SECONDS_MOST and retry_after_parse(data, size, DATE_MOST_S) == wait)
    wait = idle_timeout(data, size)
    check(-1 <= wait <= IDLE_MOST_MS)
    return 0


cdef int64_t idle_timeout(const uint8_t* value, size_t size) noexcept nogil:
    """By a head with this one value of Keep-Alive, behind which no byte is that may be read."""
    cdef uint8_t* data = <uint8_t*>malloc(NAME_BYTES + size)
    cdef FieldC field
    cdef HeadC head
    cdef int64_t found
    if data == NULL:
        return -1
    memcpy(data, b"Keep-Alive", NAME_BYTES)
    memcpy(data + NAME_BYTES, value, size)
    memset(&field, 0, sizeof(field))
    memset(&head, 0, sizeof(head))
    field.name = SliceC(0, NAME_BYTES)
    field.value = SliceC(NAME_BYTES, <uint32_t>size)
    field.id = FIELD_KEEP_ALIVE
    head.fields = &field
    head.field_count = 1
    head.names = 1 << FIELD_KEEP_ALIVE
    found = keep_alive_timeout(&head, data)
    free(data)
    return found

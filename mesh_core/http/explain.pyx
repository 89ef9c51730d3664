"""Why the proxy has failed a request; the contract stands in explain.pxd."""

from libc.string cimport strlen
from mesh_core.includes.linux cimport ECONNREFUSED, ECONNRESET, EHOSTUNREACH, ENETUNREACH, ENOENT, ETIMEDOUT
from mesh_core.runtime.memory cimport memory_alloc
from mesh_core.telemetry.response_flags cimport (
    DETAIL_CONNECT_FAILED, DETAIL_CONNECT_TIMEOUT, DETAIL_MAX_STREAM_DURATION, DETAIL_PER_TRY_TIMEOUT,
    DETAIL_RESPONSE_BODY_TOO_LARGE, DETAIL_RESPONSE_HEADERS_TOO_LARGE, DETAIL_RESPONSE_MALFORMED,
    DETAIL_RESPONSE_TIMEOUT, DETAIL_STREAM_IDLE_TIMEOUT, DETAIL_TLS_HANDSHAKE_CUT, DETAIL_TLS_HANDSHAKE_FAILED,
    DETAIL_TLS_HANDSHAKE_TIMEOUT, DETAIL_UPSTREAM_CLOSED_BEFORE_RESPONSE,
)


# Where the text is written to.
cdef struct PlaceC:
    uint8_t* out
    size_t size


cdef void explain_attempt(
    ExplainC** explain, const EndpointC* endpoint, uint16_t status, uint16_t detail, uint16_t error
) noexcept nogil:
    if endpoint == NULL:
        return
    if explain[0] == NULL:
        explain[0] = <ExplainC*>memory_alloc(sizeof(ExplainC))
        if explain[0] == NULL:
            return
    if explain[0].count < EXPLAIN_ATTEMPTS:
        explain[0].attempts[explain[0].count] = ExplainedC(endpoint, status, detail, error)
    explain[0].count += 1


cdef size_t explain_write(const ExplainC* explain, const char* why, uint8_t* out) noexcept nogil:
    cdef PlaceC place = PlaceC(out, 0)
    cdef uint32_t count = explain.count if explain != NULL else 0
    cdef uint32_t told = min(count, <uint32_t>EXPLAIN_ATTEMPTS)
    cdef uint32_t index
    if why != NULL:
        write(&place, why, strlen(why))
    for index in range(told):
        write_words(&place, b", " if index else (b"; tried " if why != NULL else b"tried "))
        write_attempt(&place, &explain.attempts[index])
    if count > told:
        write_words(&place, b", and more")
    return place.size


cdef void write_attempt(PlaceC* place, const ExplainedC* attempt) noexcept nogil:
    write(place, attempt.endpoint.name.text, attempt.endpoint.name.size)
    write_words(place, b" (")
    if attempt.status:
        write_status(place, attempt.status)
    else:
        write_words(place, words_of(attempt))
    write_words(place, b")")


cdef const char* words_of(const ExplainedC* attempt) noexcept nogil:
    cdef int detail = attempt.detail
    if detail == DETAIL_CONNECT_FAILED:
        return words_of_error(attempt.error)
    if detail == DETAIL_CONNECT_TIMEOUT:
        return b"connect timed out"
    if detail == DETAIL_TLS_HANDSHAKE_FAILED or detail == DETAIL_TLS_HANDSHAKE_CUT:
        return b"TLS handshake failed"
    if detail == DETAIL_TLS_HANDSHAKE_TIMEOUT:
        return b"TLS handshake timed out"
    if detail == DETAIL_UPSTREAM_CLOSED_BEFORE_RESPONSE:
        return b"closed without an answer"
    if detail == DETAIL_RESPONSE_MALFORMED or detail == DETAIL_RESPONSE_HEADERS_TOO_LARGE:
        return b"answer refused"
    if detail == DETAIL_RESPONSE_BODY_TOO_LARGE:
        return b"answer too large"
    if (detail == DETAIL_RESPONSE_TIMEOUT or detail == DETAIL_PER_TRY_TIMEOUT or detail == DETAIL_STREAM_IDLE_TIMEOUT
            or detail == DETAIL_MAX_STREAM_DURATION):
        return b"no answer in time"
    return b"given up"


cdef const char* words_of_error(int error) noexcept nogil:
    if error == ECONNREFUSED:
        return b"connect refused"
    if error == ECONNRESET:
        return b"connect reset"
    if error == ETIMEDOUT:
        return b"connect timed out"
    if error == EHOSTUNREACH or error == ENETUNREACH:
        return b"unreachable"
    if error == ENOENT:
        return b"no such socket"
    return b"connect failed"


cdef void write_status(PlaceC* place, uint16_t status) noexcept nogil:
    cdef char[3] digits
    digits[0] = <char>(c"0" + status // 100 % 10)
    digits[1] = <char>(c"0" + status // 10 % 10)
    digits[2] = <char>(c"0" + status % 10)
    write(place, digits, 3)


cdef void write_words(PlaceC* place, const char* words) noexcept nogil:
    write(place, words, strlen(words))


cdef void write(PlaceC* place, const char* text, size_t size) noexcept nogil:
    """What has no place in a field's value becomes a question mark."""
    cdef size_t index
    size = min(size, EXPLAIN_BYTES - place.size)
    for index in range(size):
        place.out[place.size + index] = <uint8_t>text[index] if 0x20 <= text[index] < 0x7F else c"?"
    place.size += size

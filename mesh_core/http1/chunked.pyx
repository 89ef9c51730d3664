"""Chunks; the contract stands in chunked.pxd."""

from mesh_core.http1.errors cimport (
    HTTP1_BAD_CHUNK_END,
    HTTP1_BAD_CHUNK_EXTENSION,
    HTTP1_BAD_CHUNK_SIZE,
    HTTP1_BARE_CR,
    HTTP1_BARE_LF,
    HTTP1_CHUNK_LINE_TOO_LONG,
    HTTP1_OK,
    HTTP1_TOO_MANY_EXTENSIONS,
)
from mesh_core.http1.grammar cimport CLASS_CONTROL, CLASS_TCHAR, hex_digit, is_of

cdef enum Phase:
    PHASE_SIZE_FIRST           # one digit at least
    PHASE_SIZE
    PHASE_NAME_FIRST
    PHASE_NAME
    PHASE_VALUE_FIRST
    PHASE_VALUE
    PHASE_QUOTED
    PHASE_QUOTED_PAIR
    PHASE_QUOTED_END
    PHASE_LINE_LF
    PHASE_DATA
    PHASE_DATA_CR
    PHASE_DATA_LF
    PHASE_LAST

cdef enum:
    SIZE_LIMIT = 0x7FFFFFFFFFFFFFFF


cdef int chunked_step(
    ChunkedC* state, const uint8_t* data, size_t size, const Http1LimitsC* limits, size_t* taken, size_t* body_bytes
) noexcept nogil:
    cdef size_t at = 0
    taken[0] = body_bytes[0] = 0
    while at < size and state.error == HTTP1_OK:
        if state.phase == PHASE_DATA:
            body_bytes[0] = <size_t>min(state.left, <uint64_t>(size - at))
            state.left -= body_bytes[0]
            if state.left == 0:
                state.phase = PHASE_DATA_CR
            taken[0] = at + body_bytes[0]
            return CHUNKED_BODY
        if state.phase == PHASE_DATA_CR or state.phase == PHASE_DATA_LF:
            take_data_end(state, data[at])
        else:
            take_line(state, data[at], limits)
        at += 1
        if state.phase == PHASE_LAST:
            taken[0] = at
            return CHUNKED_LAST
    taken[0] = at
    return state.error if state.error else CHUNKED_MORE


cdef void take_data_end(ChunkedC* state, uint8_t character) noexcept nogil:
    if state.phase == PHASE_DATA_CR and character == c"\r":
        state.phase = PHASE_DATA_LF
    elif state.phase == PHASE_DATA_LF and character == c"\n":
        state.phase = PHASE_SIZE_FIRST
    else:
        state.error = HTTP1_BAD_CHUNK_END


cdef void take_line(ChunkedC* state, uint8_t character, const Http1LimitsC* limits) noexcept nogil:
    """One character of a chunk's line."""
    if state.phase == PHASE_LINE_LF:
        if character != c"\n":
            state.error = HTTP1_BARE_CR
            return
        state.phase = PHASE_DATA if state.left else PHASE_LAST
        state.line_bytes = 0
        return
    if character == c"\r" and may_end(state.phase):
        state.phase = PHASE_LINE_LF
        return
    if character == c"\n":
        state.error = HTTP1_BARE_LF
        return
    state.line_bytes += 1
    if state.line_bytes > limits.chunk_line_bytes:
        state.error = HTTP1_CHUNK_LINE_TOO_LONG
    elif state.phase <= PHASE_SIZE and character != c";":
        take_size(state, character)
    else:
        state.extension_bytes += 1
        if state.extension_bytes > limits.chunk_extension_bytes:
            state.error = HTTP1_TOO_MANY_EXTENSIONS
        else:
            take_extension(state, character)


cdef inline bint may_end(uint8_t phase) noexcept nogil:
    return phase == PHASE_SIZE or phase == PHASE_NAME or phase == PHASE_VALUE or phase == PHASE_QUOTED_END


cdef void take_size(ChunkedC* state, uint8_t character) noexcept nogil:
    cdef int digit = hex_digit(character)
    if digit < 0 or state.left > <uint64_t>SIZE_LIMIT >> 4:
        state.error = HTTP1_BAD_CHUNK_SIZE
        return
    state.left = state.left << 4 | <uint64_t>digit
    state.phase = PHASE_SIZE


cdef void take_extension(ChunkedC* state, uint8_t character) noexcept nogil:
    """;name, ;name=token or ;name="quoted" (RFC 9112, section 7.1.1)."""
    cdef uint8_t phase = state.phase
    if character == c";" and may_end(phase):
        state.phase = PHASE_NAME_FIRST
    elif character == c"=" and phase == PHASE_NAME:
        state.phase = PHASE_VALUE_FIRST
    elif character == c'"' and phase == PHASE_VALUE_FIRST:
        state.phase = PHASE_QUOTED
    elif character == c'"' and phase == PHASE_QUOTED:
        state.phase = PHASE_QUOTED_END
    elif character == c"\\" and phase == PHASE_QUOTED:
        state.phase = PHASE_QUOTED_PAIR
    elif phase == PHASE_QUOTED or phase == PHASE_QUOTED_PAIR:
        if is_of(character, CLASS_CONTROL):
            state.error = HTTP1_BAD_CHUNK_EXTENSION
        state.phase = PHASE_QUOTED
    elif is_of(character, CLASS_TCHAR) and PHASE_NAME_FIRST <= phase <= PHASE_VALUE:
        state.phase = PHASE_NAME if phase <= PHASE_NAME else PHASE_VALUE
    else:
        state.error = HTTP1_BAD_CHUNK_SIZE if phase <= PHASE_SIZE else HTTP1_BAD_CHUNK_EXTENSION


cdef size_t chunk_head_write(uint8_t* out, uint64_t size) noexcept nogil:
    cdef uint64_t rest = size >> 4
    cdef size_t digits = 1, index
    while rest:
        digits += 1
        rest >>= 4
    for index in range(digits):
        out[digits - 1 - index] = <uint8_t>b"0123456789abcdef"[size & 15]
        size >>= 4
    out[digits] = c"\r"
    out[digits + 1] = c"\n"
    return digits + 2

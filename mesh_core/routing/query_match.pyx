"""What a parameter of the query must be like; the contract stands in query_match.pxd."""

from libc.stdint cimport uint8_t
from libc.string cimport memchr
from mesh_core.http1.grammar cimport hex_digit
from mesh_core.routing.value_match cimport ValueStateC, value_begin, value_fits, value_piece


cdef void query_begin(QueryC* query, TextC text) noexcept nogil:
    cdef uint32_t index
    query.text = text
    for index in range(QUERY_NOTES):
        query.notes[index].name_id = 0


cdef bint query_fits(const QueryMatchC* match, QueryC* query) noexcept nogil:
    cdef QueryNoteC* note = &query.notes[match.name_id & (QUERY_NOTES - 1)]
    cdef ValueStateC state
    if note.name_id != match.name_id:
        find_parameter(match, query.text, note)
    if not note.present:
        return match.value.invert
    state = value_begin(&match.value)
    decoded_pieces(&state, note.value)
    return value_fits(&state) != match.value.invert


cdef void find_parameter(const QueryMatchC* match, TextC query, QueryNoteC* note) noexcept nogil:
    """Note the first parameter of that name."""
    cdef const uint8_t* at = query.bytes
    cdef const uint8_t* end = query.bytes + query.size
    cdef const uint8_t* next_at
    cdef const uint8_t* sign
    note.name_id = match.name_id
    note.present = False
    while at < end:
        next_at = <const uint8_t*>memchr(at, c"&", end - at)
        if next_at == NULL:
            next_at = end
        # Of an empty piece there is no parameter.
        if next_at != at:
            sign = <const uint8_t*>memchr(at, c"=", next_at - at)
            if sign == NULL:
                sign = next_at
            if is_name(match.name, TextC(at, sign - at)):
                note.present = True
                note.value = TextC(sign + 1, next_at - sign - 1) if sign != next_at else TextC(sign, 0)
                return
        at = next_at + 1


cdef bint is_name(TextC name, TextC encoded) noexcept nogil:
    cdef size_t at = 0, index = 0
    # An encoded byte has up to three.
    if encoded.size < name.size or encoded.size // 3 > name.size:
        return False
    while at < encoded.size:
        if index == name.size or decoded_byte(encoded, &at) != name.bytes[index]:
            return False
        index += 1
    return index == name.size


cdef void decoded_pieces(ValueStateC* state, TextC encoded) noexcept nogil:
    """The value, decoded: what needs no decoding as it is."""
    cdef size_t at = 0, begin
    cdef uint8_t byte
    while at < encoded.size:
        begin = at
        while at < encoded.size and encoded.bytes[at] != c"%" and encoded.bytes[at] != c"+":
            at += 1
        value_piece(state, encoded.bytes + begin, at - begin)
        if at < encoded.size:
            byte = decoded_byte(encoded, &at)
            value_piece(state, &byte, 1)


cdef inline uint8_t decoded_byte(TextC encoded, size_t* at) noexcept nogil:
    """The byte that is written at `at`, which moves behind it."""
    cdef uint8_t byte = encoded.bytes[at[0]]
    cdef int high, low
    if byte == c"%" and encoded.size - at[0] > 2:
        high = hex_digit(encoded.bytes[at[0] + 1])
        low = hex_digit(encoded.bytes[at[0] + 2])
        if high >= 0 and low >= 0:
            at[0] += 3
            return <uint8_t>(high << 4 | low)
    at[0] += 1
    return c" " if byte == c"+" else byte

"""Cookies; the contract stands in cookie.pxd."""

from libc.stdlib cimport abort
from libc.string cimport memchr, memcmp
from mesh_core.http1.grammar cimport equals_ignoring_case, is_blank, write_decimal
from mesh_core.http1.head cimport FieldC
from mesh_core.routing.text_writer cimport TextWriterC, write_bytes, write_text, write_word


cdef bint cookie_find(const HeadC* head, const uint8_t* data, const TextC* name, TextC* value) noexcept nogil:
    cdef const FieldC* field
    cdef uint32_t index
    for index in range(head.field_count):
        field = &head.fields[index]
        if field.name.size != 6 or not equals_ignoring_case(data + field.name.at, <const uint8_t*>b"cookie", 6):
            continue
        if cookie_find_in(data + field.value.at, field.value.size, name, value):
            return True
    return False


cdef bint cookie_find_in(const uint8_t* field, size_t size, const TextC* name, TextC* value) noexcept nogil:
    cdef size_t at = 0, end
    cdef const uint8_t* semicolon
    while at < size:
        semicolon = <const uint8_t*>memchr(field + at, c";", size - at)
        end = size if semicolon == NULL else semicolon - field
        if pair_has_name(field + at, end - at, name, value):
            return True
        at = end + 1
    return False


cdef bint pair_has_name(const uint8_t* pair, size_t size, const TextC* name, TextC* value) noexcept nogil:
    """Whether this is "name=value"; then `value` becomes it, trimmed."""
    while size and is_blank(pair[0]):
        pair += 1
        size -= 1
    if size <= name.size or memcmp(pair, name.bytes, name.size) != 0:
        return False
    pair += name.size
    size -= name.size
    while size and is_blank(pair[0]):
        pair += 1
        size -= 1
    if size == 0 or pair[0] != c"=":
        return False
    value.bytes = pair + 1
    value.size = size - 1
    trim(value)
    return True


cdef void trim(TextC* text) noexcept nogil:
    while text.size and is_blank(text.bytes[0]):
        text.bytes += 1
        text.size -= 1
    while text.size and is_blank(text.bytes[text.size - 1]):
        text.size -= 1
    if text.size >= 2 and text.bytes[0] == c'"' and text.bytes[text.size - 1] == c'"':
        text.bytes += 1
        text.size -= 2


cdef size_t cookie_write(const CookieC* cookie, const TextC* value, uint8_t* out, size_t capacity) noexcept nogil:
    cdef TextWriterC writer = TextWriterC(out, 0, capacity, False)
    cdef uint8_t[20] digits
    write_text(&writer, cookie.name)
    write_word(&writer, b"=")
    write_text(&writer, value[0])
    if cookie.ttl_s > 0:
        write_word(&writer, b"; Max-Age=")
        write_bytes(&writer, digits, write_decimal(digits, <uint64_t>cookie.ttl_s))
    write_word(&writer, b"; Path=")
    write_text(&writer, cookie.path)
    write_word(&writer, b"; HttpOnly")
    return 0 if writer.overflowed else writer.size


# --- fuzzing ---

cdef int fuzz_cookie(const uint8_t* data, size_t size) noexcept nogil:
    """The first line is the name that is looked for, the rest a Cookie field's value."""
    cdef const uint8_t* line_end = <const uint8_t*>memchr(data, c"\n", size) if size else NULL
    cdef TextC name, value, again
    cdef const uint8_t* field
    cdef size_t field_size, begin
    cdef bint found
    if line_end == NULL:
        return 0
    name = TextC(data, line_end - data)
    field = line_end + 1
    field_size = size - name.size - 1
    value = again = TextC(NULL, 0)
    found = cookie_find_in(field, field_size, &name, &value)
    begin = first_pair(field, field_size, &name)
    if found != (begin < field_size):
        abort()
    if not found:
        return 0
    if value.bytes < field + begin or value.bytes + value.size > field + field_size:
        abort()
    if value.size and memchr(value.bytes, c";", value.size) != NULL:
        abort()
    # What stands behind the pair is of no consequence, nor are the pairs before it.
    if not cookie_find_in(field, value.bytes + value.size - field, &name, &again) and value.size:
        abort()
    if not cookie_find_in(field + begin, field_size - begin, &name, &again):
        abort()
    if again.bytes != value.bytes or again.size != value.size:
        abort()
    return 0


cdef size_t first_pair(const uint8_t* field, size_t size, const TextC* name) noexcept nogil:
    """Where the first pair of that name begins, found byte by byte; `size` when there is none."""
    cdef size_t at, stop, matched
    for at in range(size):
        if at > 0 and field[at - 1] != c";":
            continue
        stop = at
        while stop < size and is_blank(field[stop]):
            stop += 1
        matched = 0
        while matched < name.size and stop < size and field[stop] == name.bytes[matched] and field[stop] != c";":
            matched += 1
            stop += 1
        while stop < size and is_blank(field[stop]):
            stop += 1
        if matched == name.size and stop < size and field[stop] == c"=":
            return at
    return size

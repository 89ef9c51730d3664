"""Writing heads; the contract stands in serialize.pxd."""

from libc.string cimport memcpy, strlen
from mesh_core.http1.errors cimport HTTP1_OK, HTTP1_OUTPUT_FIELD, HTTP1_OUTPUT_OVERFLOW, HTTP1_OUTPUT_START_LINE
from mesh_core.http1.field_names cimport (
    FIELD_CONTENT_LENGTH,
    FIELD_EXPECT,
    FIELD_HOST,
    FIELD_TRANSFER_ENCODING,
    FIELD_UPGRADE,
    field_name_find,
)
from mesh_core.http1.framing cimport BODY_CHUNKED, BODY_LENGTH, BODY_UNTIL_CLOSE
from mesh_core.http1.grammar cimport SliceC, find_control, is_blank, is_token, write_decimal
from mesh_core.http1.head cimport FIELD_CANONICAL, FIELD_REMOVED, FieldC
from mesh_core.http1.target cimport TargetC, authority_is_valid, target_parse

cdef const char* CONNECTION_LINES[4]
CONNECTION_LINES[:] = [b"", b"Connection: close\r\n", b"Connection: keep-alive\r\n", b"Connection: Upgrade\r\n"]


# A buffer being filled; once something did not fit nothing more is written.
cdef struct WriterC:
    uint8_t* begin
    size_t size
    size_t capacity
    bint overflowed


cdef int64_t request_write(
    const HeadC* head, const uint8_t* data, TextC target, TextC authority, const OutputC* output,
    uint8_t* out, size_t capacity
) noexcept nogil:
    cdef WriterC writer = WriterC(out, 0, capacity, False)
    cdef TargetC parts
    if target_parse(target.bytes, SliceC(0, <uint32_t>target.size), head.method_id, &parts) != HTTP1_OK:
        return HTTP1_OUTPUT_START_LINE
    if not authority_is_valid(authority.bytes, authority.size, False):
        return HTTP1_OUTPUT_START_LINE
    put_slice(&writer, data, head.method)
    put_word(&writer, b" ")
    put(&writer, target.bytes, target.size)
    put_word(&writer, b" HTTP/1.1\r\n")
    return put_fields(&writer, head, data, &authority, output)


cdef int64_t response_write(
    const HeadC* head, const uint8_t* data, uint16_t status, TextC reason, const OutputC* output,
    uint8_t* out, size_t capacity
) noexcept nogil:
    cdef WriterC writer = WriterC(out, 0, capacity, False)
    cdef uint8_t[20] digits
    if not 100 <= status <= 999 or find_control(reason.bytes, 0, reason.size) != reason.size:
        return HTTP1_OUTPUT_START_LINE
    put_word(&writer, b"HTTP/1.1 ")
    put(&writer, digits, write_decimal(digits, status))
    put_word(&writer, b" ")
    put(&writer, reason.bytes, reason.size)
    put_word(&writer, b"\r\n")
    return put_fields(&writer, head, data, NULL, output)


cdef int64_t trailers_write(const HeadC* trailers, const uint8_t* data, uint8_t* out, size_t capacity) noexcept nogil:
    cdef WriterC writer = WriterC(out, 0, capacity, False)
    cdef const FieldC* field
    cdef uint32_t index
    for index in range(trailers.field_count):
        field = &trailers.fields[index]
        if not field.flags & FIELD_REMOVED:
            put_line(&writer, data, field.name, data + field.value.at, field.value.size)
    put_word(&writer, b"\r\n")
    return result(&writer)


cdef int64_t put_fields(
    WriterC* writer, const HeadC* head, const uint8_t* data, const TextC* host, const OutputC* output
) noexcept nogil:
    """All that stands behind the start line. `host` is NULL in responses."""
    cdef uint8_t[20] digits
    cdef TextC length = TextC(&digits[0], 0), coding = TextC(<const uint8_t*>b"chunked", 7)
    cdef int connection = CONNECTION_CLOSE if output.body == BODY_UNTIL_CLOSE else output.connection
    cdef int error = HTTP1_OK
    if output.body == BODY_LENGTH or output.states_length:
        length.size = write_decimal(digits, output.length)
    if output.body != BODY_CHUNKED:
        coding.size = 0
    put_received(writer, head, data, host, &length, &coding, connection == CONNECTION_UPGRADE)
    if host != NULL and not has_field(head, FIELD_HOST):
        put_named(writer, b"Host: ", host)
    if length.size and not has_field(head, FIELD_CONTENT_LENGTH):
        put_named(writer, b"Content-Length: ", &length)
    if coding.size and not has_field(head, FIELD_TRANSFER_ENCODING):
        put_named(writer, b"Transfer-Encoding: ", &coding)
    error = put_added(writer, output)
    if error:
        return error
    put_word(writer, CONNECTION_LINES[connection])
    put_word(writer, b"\r\n")
    return result(writer)


cdef void put_received(
    WriterC* writer, const HeadC* head, const uint8_t* data, const TextC* host, const TextC* length,
    const TextC* coding, bint upgrades
) noexcept nogil:
    """The fields that go on; neighbours that need no change are copied as one."""
    cdef SliceC run = SliceC(0, 0)
    cdef const FieldC* field
    cdef const TextC* value
    cdef uint32_t index
    for index in range(head.field_count):
        field = &head.fields[index]
        value = NULL
        if field.id == FIELD_HOST and host != NULL:
            value = host
        elif field.id == FIELD_CONTENT_LENGTH:
            value = length
        elif field.id == FIELD_TRANSFER_ENCODING:
            value = coding
        elif field.flags & FIELD_REMOVED and not (field.id == FIELD_UPGRADE and upgrades):
            continue
        elif field.flags & FIELD_CANONICAL:
            if run.at + run.size != field.name.at:
                put_slice(writer, data, run)
                run = SliceC(field.name.at, 0)
            run.size = field.value.at + field.value.size + 2 - run.at
            continue
        put_slice(writer, data, run)
        run.size = 0
        if value == NULL:
            put_line(writer, data, field.name, data + field.value.at, field.value.size)
        elif value.size:
            put_line(writer, data, field.name, value.bytes, value.size)
    put_slice(writer, data, run)


cdef int put_added(WriterC* writer, const OutputC* output) noexcept nogil:
    cdef const AddedFieldC* field
    cdef uint32_t index
    cdef uint8_t rules
    for index in range(output.added_count):
        field = &output.added[index]
        if not is_token(field.name.bytes, field.name.size) or not is_value(&field.value):
            return HTTP1_OUTPUT_FIELD
        if FIELD_HOST <= field_name_find(field.name.bytes, field.name.size, &rules) <= FIELD_EXPECT:
            return HTTP1_OUTPUT_FIELD
        put(writer, field.name.bytes, field.name.size)
        put_named(writer, b": ", &field.value)
    return HTTP1_OK


cdef bint is_value(const TextC* text) noexcept nogil:
    """Whether this can be a field's value, and would be parsed as the same."""
    if text.size and (is_blank(text.bytes[0]) or is_blank(text.bytes[text.size - 1])):
        return False
    return find_control(text.bytes, 0, text.size) == text.size


cdef bint has_field(const HeadC* head, uint8_t id) noexcept nogil:
    cdef uint32_t index
    for index in range(head.field_count):
        if head.fields[index].id == id:
            return True
    return False


# --- the buffer ---

cdef void put(WriterC* writer, const void* bytes, size_t size) noexcept nogil:
    if size > writer.capacity - writer.size:
        writer.overflowed = True
        writer.size = writer.capacity
    elif size:
        memcpy(writer.begin + writer.size, bytes, size)
        writer.size += size


cdef void put_slice(WriterC* writer, const uint8_t* data, SliceC slice) noexcept nogil:
    put(writer, data + slice.at, slice.size)


cdef void put_word(WriterC* writer, const char* word) noexcept nogil:
    put(writer, word, strlen(word))


cdef void put_named(WriterC* writer, const char* name_and_colon, const TextC* value) noexcept nogil:
    put_word(writer, name_and_colon)
    put(writer, value.bytes, value.size)
    put_word(writer, b"\r\n")


cdef void put_line(
    WriterC* writer, const uint8_t* data, SliceC name, const uint8_t* value, size_t value_size
) noexcept nogil:
    put_slice(writer, data, name)
    put_word(writer, b": ")
    put(writer, value, value_size)
    put_word(writer, b"\r\n")


cdef int64_t result(const WriterC* writer) noexcept nogil:
    return HTTP1_OUTPUT_OVERFLOW if writer.overflowed else <int64_t>writer.size

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

# What the fields that frame the message say; empty ones are not written.
cdef struct FramingTextsC:
    const TextC* host          # NULL in responses
    TextC length
    TextC coding
    bint upgrades              # the Upgrade field goes on


cdef int64_t request_write(
    const HeadC* head, const uint8_t* data, TextC target, TextC authority, const OutputC* output,
    uint8_t* out, size_t capacity
) noexcept nogil:
    cdef WriterC writer = WriterC(out, 0, capacity, False)
    cdef TargetC parts
    # What is passed on from where it was judged needs no other look.
    if not is_slice(data, head.whole_target, &target):
        if target_parse(target.bytes, SliceC(0, <uint32_t>target.size), head.method_id, &parts) != HTTP1_OK:
            return HTTP1_OUTPUT_START_LINE
    if not is_host(head, data, &authority) and not authority_is_valid(authority.bytes, authority.size, False):
        return HTTP1_OUTPUT_START_LINE
    put_slice(&writer, data, head.method)
    put(&writer, b" ", 1)
    put(&writer, target.bytes, target.size)
    put(&writer, b" HTTP/1.1\r\n", 11)
    return put_fields(&writer, head, data, &authority, output)


cdef int64_t response_write(
    const HeadC* head, const uint8_t* data, uint16_t status, TextC reason, const OutputC* output,
    uint8_t* out, size_t capacity
) noexcept nogil:
    cdef WriterC writer = WriterC(out, 0, capacity, False)
    cdef uint8_t[20] digits
    if not 100 <= status <= 999 or find_control(reason.bytes, 0, reason.size) != reason.size:
        return HTTP1_OUTPUT_START_LINE
    put(&writer, b"HTTP/1.1 ", 9)
    put(&writer, digits, write_decimal(digits, status))
    put(&writer, b" ", 1)
    put(&writer, reason.bytes, reason.size)
    put(&writer, b"\r\n", 2)
    return put_fields(&writer, head, data, NULL, output)


cdef int64_t trailers_write(const HeadC* trailers, const uint8_t* data, uint8_t* out, size_t capacity) noexcept nogil:
    cdef WriterC writer = WriterC(out, 0, capacity, False)
    cdef const FieldC* field
    cdef TextC value
    cdef uint32_t index
    for index in range(trailers.field_count):
        field = &trailers.fields[index]
        if not field.flags & FIELD_REMOVED:
            value = TextC(data + field.value.at, field.value.size)
            put_field(&writer, data + field.name.at, field.name.size, &value)
    put(&writer, b"\r\n", 2)
    return result(&writer)


cdef bint is_host(const HeadC* head, const uint8_t* data, const TextC* authority) noexcept nogil:
    cdef uint32_t index
    for index in range(head.field_count):
        if head.fields[index].id == FIELD_HOST:
            return is_slice(data, head.fields[index].value, authority)
    return False


cdef int64_t put_fields(
    WriterC* writer, const HeadC* head, const uint8_t* data, const TextC* host, const OutputC* output
) noexcept nogil:
    """All that stands behind the start line. `host` is NULL in responses."""
    cdef uint8_t[20] digits
    cdef FramingTextsC texts
    cdef int connection = CONNECTION_CLOSE if output.body == BODY_UNTIL_CLOSE else output.connection
    cdef uint32_t seen, index
    if not may_add(output):
        return HTTP1_OUTPUT_FIELD
    texts.host = host
    texts.length = TextC(&digits[0], 0)
    if output.body == BODY_LENGTH or output.states_length:
        texts.length.size = write_decimal(digits, output.length)
    texts.coding = TextC(<const uint8_t*>b"chunked", 7 if output.body == BODY_CHUNKED else 0)
    texts.upgrades = connection == CONNECTION_UPGRADE
    seen = put_received(writer, head, data, &texts)
    if host != NULL and not seen & 1 << FIELD_HOST:
        put_field(writer, b"Host", 4, host)
    if texts.length.size and not seen & 1 << FIELD_CONTENT_LENGTH:
        put_field(writer, b"Content-Length", 14, &texts.length)
    if texts.coding.size and not seen & 1 << FIELD_TRANSFER_ENCODING:
        put_field(writer, b"Transfer-Encoding", 17, &texts.coding)
    for index in range(output.added_count):
        put_field(writer, output.added[index].name.bytes, output.added[index].name.size, &output.added[index].value)
    put(writer, CONNECTION_LINES[connection], strlen(CONNECTION_LINES[connection]))
    put(writer, b"\r\n", 2)
    return result(writer)


cdef uint32_t put_received(
    WriterC* writer, const HeadC* head, const uint8_t* data, const FramingTextsC* texts
) noexcept nogil:
    """The fields that go on; neighbours that need no change are copied as one. Bits of the FieldNames there were."""
    cdef SliceC run = SliceC(0, 0)
    cdef const FieldC* field
    cdef const TextC* value
    cdef uint32_t index, seen = 0
    for index in range(head.field_count):
        field = &head.fields[index]
        value = NULL
        seen |= 1 << field.id
        if field.id == FIELD_HOST and texts.host != NULL:
            value = texts.host
        elif field.id == FIELD_CONTENT_LENGTH or field.id == FIELD_TRANSFER_ENCODING:
            value = &texts.length if field.id == FIELD_CONTENT_LENGTH else &texts.coding
            if value.size == 0:
                continue
        elif field.flags & FIELD_REMOVED:
            if not (field.id == FIELD_UPGRADE and texts.upgrades):
                continue
        if field.flags & FIELD_CANONICAL and (value == NULL or is_slice(data, field.value, value)):
            if run.at + run.size != field.name.at:
                put_slice(writer, data, run)
                run = SliceC(field.name.at, 0)
            run.size = field.value.at + field.value.size + 2 - run.at
            continue
        put_slice(writer, data, run)
        run.size = 0
        put_slice(writer, data, field.name)
        put(writer, b": ", 2)
        if value == NULL:
            put_slice(writer, data, field.value)
        else:
            put(writer, value.bytes, value.size)
        put(writer, b"\r\n", 2)
    put_slice(writer, data, run)
    return seen


# --- what the caller adds ---

cdef bint may_add(const OutputC* output) noexcept nogil:
    """Whether nothing of it could change what the message is."""
    cdef uint32_t index
    for index in range(output.own_count, output.added_count):
        if not (may_change(&output.added[index].name) and is_value(&output.added[index].value)):
            return False
    return True


cdef bint may_change(const TextC* name) noexcept nogil:
    cdef uint8_t rules
    if not is_token(name.bytes, name.size):
        return False
    return not FIELD_HOST <= field_name_find(name.bytes, name.size, &rules) <= FIELD_EXPECT


cdef bint is_value(const TextC* text) noexcept nogil:
    """Whether this can be a field's value, and would be parsed as the same."""
    if text.size and (is_blank(text.bytes[0]) or is_blank(text.bytes[text.size - 1])):
        return False
    return find_control(text.bytes, 0, text.size) == text.size


# --- the buffer ---

cdef inline bint is_slice(const uint8_t* data, SliceC slice, const TextC* text) noexcept nogil:
    return text.bytes == data + slice.at and text.size == slice.size


cdef inline void put(WriterC* writer, const void* bytes, size_t size) noexcept nogil:
    if size > writer.capacity - writer.size:
        writer.overflowed = True
        writer.size = writer.capacity
    elif size:
        memcpy(writer.begin + writer.size, bytes, size)
        writer.size += size


cdef inline void put_slice(WriterC* writer, const uint8_t* data, SliceC slice) noexcept nogil:
    put(writer, data + slice.at, slice.size)


cdef void put_field(WriterC* writer, const void* name, size_t name_size, const TextC* value) noexcept nogil:
    put(writer, name, name_size)
    put(writer, b": ", 2)
    put(writer, value.bytes, value.size)
    put(writer, b"\r\n", 2)


cdef int64_t result(const WriterC* writer) noexcept nogil:
    return HTTP1_OUTPUT_OVERFLOW if writer.overflowed else <int64_t>writer.size

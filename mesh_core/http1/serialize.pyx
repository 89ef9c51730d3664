"""Writing heads; the contract stands in serialize.pxd."""

from libc.string cimport memcpy
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
from mesh_core.http1.head cimport (
    FIELD_CANONICAL, FIELD_PLAIN_LENGTH, FIELD_REMOVED, HEAD_RESPONSE, FieldC,
)
from mesh_core.http1.target cimport TargetC, authority_is_valid, target_parse
from mesh_core.includes.likely cimport unlikely

cdef enum:
    STATUS_BEGIN_BYTES = 13    # "HTTP/1.1 200 "
    NO_LINE = 0xFFFFFFFF       # of the received ones goes on
    # The fields of which more than FIELD_REMOVED is to be known.
    FRAMING_NAMES = 1 << FIELD_HOST | 1 << FIELD_CONTENT_LENGTH | 1 << FIELD_TRANSFER_ENCODING | 1 << FIELD_UPGRADE


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
    cdef bint keeps_line = False
    cdef TargetC parts
    # What is passed on from where it was judged needs no other look.
    if is_slice(data, head.whole_target, &target):
        keeps_line = head.minor_version == 1
    elif target_parse(target.bytes, SliceC(0, <uint32_t>target.size), head.method_id, &parts) != HTTP1_OK:
        return HTTP1_OUTPUT_START_LINE
    if unlikely(not is_host(head, data, &authority)) and not authority_is_valid(
            authority.bytes, SliceC(0, <uint32_t>authority.size), False):
        return HTTP1_OUTPUT_START_LINE
    if unlikely(not keeps_line):
        put_slice(&writer, data, head.method)
        put(&writer, b" ", 1)
        put(&writer, target.bytes, target.size)
        put(&writer, b" HTTP/1.1\r\n", 11)
    return put_fields(&writer, head, data, head.method.at if keeps_line else NO_LINE, &authority, output)


cdef int64_t response_write(
    const HeadC* head, const uint8_t* data, uint16_t status, TextC reason, const OutputC* output,
    uint8_t* out, size_t capacity
) noexcept nogil:
    cdef WriterC writer = WriterC(out, 0, capacity, False)
    cdef uint32_t line = NO_LINE
    cdef uint8_t[20] digits
    if (
        status == head.status and head.kind == HEAD_RESPONSE and head.minor_version == 1
        and is_slice(data, head.reason, &reason) and data[head.reason.at - 1] == c" "
    ):
        line = head.reason.at - STATUS_BEGIN_BYTES
    else:
        if not 100 <= status <= 999 or find_control(reason.bytes, 0, reason.size) != reason.size:
            return HTTP1_OUTPUT_START_LINE
        put(&writer, b"HTTP/1.1 ", 9)
        put(&writer, digits, write_decimal(digits, status))
        put(&writer, b" ", 1)
        put(&writer, reason.bytes, reason.size)
        put(&writer, b"\r\n", 2)
    return put_fields(&writer, head, data, line, NULL, output)


cdef int64_t trailers_write(const HeadC* trailers, const uint8_t* data, uint8_t* out, size_t capacity) noexcept nogil:
    cdef WriterC writer = WriterC(out, 0, capacity, False)
    cdef const FieldC* field
    cdef TextC value
    cdef uint32_t index
    for index in range(trailers.field_count):
        field = &trailers.fields[index]
        if not field.flags & FIELD_REMOVED:
            value = TextC(data + field.value.at, field.value.size)
            put_field(&writer, data + field.name.at, field.name.size, value)
    put(&writer, b"\r\n", 2)
    return HTTP1_OUTPUT_OVERFLOW if writer.overflowed else <int64_t>writer.size


cdef inline bint is_host(const HeadC* head, const uint8_t* data, const TextC* authority) noexcept nogil:
    return head.names & 1 << FIELD_HOST and is_slice(data, head.fields[head.last[<int>FIELD_HOST]].value, authority)


cdef inline int64_t put_fields(
    WriterC* writer, const HeadC* head, const uint8_t* data, uint32_t line, const TextC* host, const OutputC* output
) noexcept nogil:
    """All that stands behind the start line, which was written, or is the received one at `line`. `host` is NULL in
    responses."""
    cdef int connection = CONNECTION_CLOSE if output.body == BODY_UNTIL_CLOSE else output.connection
    cdef uint32_t seen, index
    if unlikely(not may_add(output)):
        return HTTP1_OUTPUT_FIELD
    seen = put_received(writer, head, data, line, host, connection == CONNECTION_UPGRADE, output)
    if unlikely(framing_names(host, output) & ~seen):
        put_framing(writer, seen, host, output)
    if output.own_lines.size:
        put(writer, output.own_lines.bytes, output.own_lines.size)
    for index in range(output.added_count):
        put_field(writer, output.added[index].name.bytes, output.added[index].name.size, output.added[index].value)
    if unlikely(connection != CONNECTION_UNSAID):
        put_connection(writer, connection)
    put_line_end(writer)
    return HTTP1_OUTPUT_OVERFLOW if unlikely(writer.overflowed) else <int64_t>writer.size


cdef inline uint32_t put_received(
    WriterC* writer, const HeadC* head, const uint8_t* data, uint32_t line, const TextC* host, bint upgrades,
    const OutputC* output
) noexcept nogil:
    """The fields that go on, the line at `line` before them; neighbours that need no change are copied as one. Bits of
    those FRAMING_NAMES that there were."""
    cdef const FieldC* field
    cdef uint32_t index, seen = 0
    for index in range(head.field_count):
        field = &head.fields[index]
        if field.flags == FIELD_CANONICAL and not <uint32_t>1 << field.id & FRAMING_NAMES:
            if line == NO_LINE:
                line = field.name.at
            continue
        seen |= <uint32_t>1 << field.id
        if is_kept(head, data, field, host, output):
            if line == NO_LINE:
                line = field.name.at
            continue
        if line != NO_LINE:
            put(writer, data + line, field.name.at - line)
            line = NO_LINE
        put_changed(writer, data, field, host, upgrades, output)
    if line != NO_LINE:
        put(writer, data + line, head.bytes - 2 - line)
    return seen


cdef inline bint is_kept(
    const HeadC* head, const uint8_t* data, const FieldC* field, const TextC* host, const OutputC* output
) noexcept nogil:
    """Whether one that frames the message says what it should as it is."""
    if not field.flags & FIELD_CANONICAL:
        return False
    if field.id == FIELD_HOST and host != NULL:
        return is_slice(data, field.value, host)
    if field.id == FIELD_CONTENT_LENGTH:
        return field.flags & FIELD_PLAIN_LENGTH and states_length(output) and head.length == output.length
    return field.id == FIELD_HOST and not field.flags & FIELD_REMOVED


cdef void put_changed(
    WriterC* writer, const uint8_t* data, const FieldC* field, const TextC* host, bint upgrades, const OutputC* output
) noexcept nogil:
    """One received field as it should have been, or nothing of it."""
    cdef uint8_t[20] digits
    cdef TextC value = TextC(data + field.value.at, field.value.size)
    if field.id == FIELD_HOST and host != NULL:
        value = host[0]
    elif field.id == FIELD_CONTENT_LENGTH:
        if not states_length(output):
            return
        value = TextC(&digits[0], write_decimal(digits, output.length))
    elif field.id == FIELD_TRANSFER_ENCODING:
        if output.body != BODY_CHUNKED:
            return
        value = TextC(<const uint8_t*>b"chunked", 7)
    elif field.flags & FIELD_REMOVED and not (field.id == FIELD_UPGRADE and upgrades):
        return
    put_field(writer, data + field.name.at, field.name.size, value)


cdef inline bint states_length(const OutputC* output) noexcept nogil:
    return output.body == BODY_LENGTH or output.states_length


cdef inline uint32_t framing_names(const TextC* host, const OutputC* output) noexcept nogil:
    """Bits of the fields that must frame the message."""
    cdef uint32_t names = 0
    if host != NULL:
        names = 1 << FIELD_HOST
    if states_length(output):
        names |= 1 << FIELD_CONTENT_LENGTH
    if output.body == BODY_CHUNKED:
        names |= 1 << FIELD_TRANSFER_ENCODING
    return names


cdef void put_framing(WriterC* writer, uint32_t seen, const TextC* host, const OutputC* output) noexcept nogil:
    """What frames the message and was not among the received fields."""
    cdef uint8_t[20] digits
    if host != NULL and not seen & 1 << FIELD_HOST:
        put_field(writer, b"Host", 4, host[0])
    if states_length(output) and not seen & 1 << FIELD_CONTENT_LENGTH:
        put_field(writer, b"Content-Length", 14, TextC(&digits[0], write_decimal(digits, output.length)))
    if output.body == BODY_CHUNKED and not seen & 1 << FIELD_TRANSFER_ENCODING:
        put_field(writer, b"Transfer-Encoding", 17, TextC(<const uint8_t*>b"chunked", 7))


cdef void put_connection(WriterC* writer, int connection) noexcept nogil:
    if connection == CONNECTION_CLOSE:
        put(writer, b"Connection: close\r\n", 19)
    elif connection == CONNECTION_KEEP_ALIVE:
        put(writer, b"Connection: keep-alive\r\n", 24)
    else:
        put(writer, b"Connection: Upgrade\r\n", 21)


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


cdef void put(WriterC* writer, const void* bytes, size_t size) noexcept nogil:
    if unlikely(size > writer.capacity - writer.size):
        writer.overflowed = True
        writer.size = writer.capacity
    elif size:
        memcpy(writer.begin + writer.size, bytes, size)
        writer.size += size


cdef inline void put_line_end(WriterC* writer) noexcept nogil:
    if unlikely(writer.capacity - writer.size < 2):
        writer.overflowed = True
        writer.size = writer.capacity
    else:
        memcpy(writer.begin + writer.size, b"\r\n", 2)
        writer.size += 2


cdef inline void put_slice(WriterC* writer, const uint8_t* data, SliceC slice) noexcept nogil:
    put(writer, data + slice.at, slice.size)


cdef void put_field(WriterC* writer, const void* name, size_t name_size, TextC value) noexcept nogil:
    put(writer, name, name_size)
    put(writer, b": ", 2)
    put(writer, value.bytes, value.size)
    put(writer, b"\r\n", 2)

"""Lines of the access log by a list of operations; the contract stands in line_format.pxd."""

from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memset, strlen
from mesh_core.http1.errors cimport http1_error_text
from mesh_core.includes.linux cimport strerror
from mesh_core.net.address cimport PeerAddressC
from mesh_core.telemetry.access_record cimport (
    ACCESS_CONNECTION, PROTOCOL_COUNT, REQUEST_TEXT_COUNT, TEXT_COUNT, TEXT_UPSTREAM_FAILURE, AccessRecordC,
    ExtraTextC, RequestEntryC, RequestRecordC, request_record_begin,
)
from mesh_core.telemetry.line_writer cimport (
    STYLE_JSON_PART, STYLE_JSON_VALUE, put, put_absent, put_address, put_byte, put_number, put_string, put_time,
)
from mesh_core.telemetry.response_flags cimport FLAG_COUNT, detail_text, flag_name

cdef const char* PROTOCOLS[PROTOCOL_COUNT]
PROTOCOLS[:] = [b"", b"HTTP/1.0", b"HTTP/1.1", b"HTTP/2"]


# A record, whichever kind it is of, as operations look at it.
cdef struct LineC:
    const RequestRecordC* record
    const uint8_t* texts[REQUEST_TEXT_COUNT]
    uint16_t sizes[REQUEST_TEXT_COUNT]
    const ExtraTextC* extras
    const uint8_t* extra_texts
    uint32_t extra_count


cdef const uint8_t* find_texts(LineC* line, const uint8_t* at, const uint16_t* sizes, int count) noexcept nogil:
    """Where each text is; the place behind the last."""
    cdef int index
    for index in range(count):
        line.texts[index] = at
        line.sizes[index] = sizes[index]
        at += sizes[index]
    return at


cdef void look_at_request(LineC* line, const RequestEntryC* entry) noexcept nogil:
    line.record = &entry.record
    line.extras = <const ExtraTextC*>(entry + 1)
    line.extra_count = entry.extra_count
    line.extra_texts = find_texts(
        line, <const uint8_t*>(line.extras + entry.extra_count), entry.text_sizes, REQUEST_TEXT_COUNT)


cdef void look_at_connection(LineC* line, RequestRecordC* room, const AccessRecordC* record) noexcept nogil:
    """A connection as if it were a request without head; the numbers that both have go to `room`."""
    request_record_begin(room, record.connection_id, record.start_time_us, 0)
    room.ended_us = record.duration_us
    room.connect_time_us = record.connect_time_us
    room.bytes_received = record.bytes_received
    room.bytes_sent = record.bytes_sent
    room.flags = record.flags
    room.termination = record.detail
    room.error = record.error
    room.attempts = record.attempts
    room.downstream_remote = record.downstream_remote
    room.downstream_local = record.downstream_local
    room.upstream_local = record.upstream_local
    line.record = room
    line.extra_count = 0
    memset(line.sizes, 0, sizeof(line.sizes))
    find_texts(line, <const uint8_t*>(record + 1), record.text_sizes, TEXT_COUNT)


# --- values ---

cdef inline int64_t since(int64_t begin_us, int64_t end_us) noexcept nogil:
    """Milliseconds between two times; -1 when one was not reached."""
    return max(end_us - begin_us, <int64_t>0) // 1000 if end_us and begin_us else -1


cdef int64_t milliseconds(const RequestRecordC* record, int operator) noexcept nogil:
    cdef int64_t asked_us
    if operator == OPERATOR_DURATION:
        return max(record.ended_us - record.received_us, <int64_t>0) // 1000
    if operator == OPERATOR_REQUEST_DURATION:
        return since(record.received_us, record.received_end_us)
    if operator == OPERATOR_REQUEST_TX_DURATION:
        return since(record.received_us, record.upstream_sent_end_us)
    if operator == OPERATOR_RESPONSE_DURATION:
        return since(record.received_us, record.responded_us)
    if operator == OPERATOR_RESPONSE_TX_DURATION:
        return since(record.responded_us, record.ended_us)
    if operator == OPERATOR_CONNECT_TIME:
        return record.connect_time_us // 1000 if record.connect_time_us >= 0 else -1
    # A response may begin before the request has ended.
    asked_us = record.upstream_sent_us
    if asked_us < record.upstream_sent_end_us <= record.responded_us:
        asked_us = record.upstream_sent_end_us
    return since(asked_us, record.responded_us)


cdef uint64_t number_of(const RequestRecordC* record, int operator) noexcept nogil:
    if operator == OPERATOR_BYTES_RECEIVED:
        return record.bytes_received
    if operator == OPERATOR_BYTES_SENT:
        return record.bytes_sent
    if operator == OPERATOR_HEADER_BYTES_RECEIVED:
        return record.header_bytes_received
    if operator == OPERATOR_HEADER_BYTES_SENT:
        return record.header_bytes_sent
    return record.connection_id if operator == OPERATOR_CONNECTION_ID else record.attempts


cdef const uint8_t* find_extra(const LineC* line, OperationC* operation, uint16_t* size) noexcept nogil:
    """The text of a header field, or NULL. Records of one format have it in one place, so that is looked at first."""
    cdef uint32_t index = operation.seen_at
    cdef uint32_t each
    cdef const uint8_t* text = line.extra_texts
    if index >= line.extra_count or line.extras[index].key != operation.key:
        index = 0
        while index < line.extra_count and line.extras[index].key != operation.key:
            index += 1
        if index == line.extra_count:
            return NULL
        operation.seen_at = index
    for each in range(index):
        text += line.extras[each].size
    size[0] = line.extras[index].size
    return text


cdef void put_flags(OutC* out, uint32_t flags, int style) noexcept nogil:
    cdef int index
    cdef bint first = True
    if style == STYLE_JSON_VALUE:
        put_byte(out, c'"')
    for index in range(FLAG_COUNT):
        if flags >> index & 1:
            if not first:
                put_byte(out, c",")
            put(out, flag_name(index), strlen(flag_name(index)))
            first = False
    if first:
        put_byte(out, c"-")
    if style == STYLE_JSON_VALUE:
        put_byte(out, c'"')


cdef bint put_words(OutC* out, const char* words, int style) noexcept nogil:
    """Put words of our own; False when there are none."""
    cdef size_t size = strlen(words)
    if size:
        put_string(out, <const uint8_t*>words, size, style)
    return size != 0


cdef bint put_details(OutC* out, const RequestRecordC* record, int style) noexcept nogil:
    if not record.codec_error:
        # What nothing is to be said of is the upstream's own answer.
        if not record.detail and record.responded_us:
            return put_words(out, b"via_upstream", style)
        return put_words(out, detail_text(record.detail), style)
    if style == STYLE_JSON_VALUE:
        put_byte(out, c'"')
    put(out, b"http1.", 6)
    put_words(out, http1_error_text(record.codec_error), STYLE_JSON_PART)
    if style == STYLE_JSON_VALUE:
        put_byte(out, c'"')
    return True


cdef bint put_some_address(OutC* out, const RequestRecordC* record, int operator, int style) noexcept nogil:
    cdef const PeerAddressC* address
    cdef int part = (operator - <int>OPERATOR_UPSTREAM_LOCAL) % 3
    if operator <= OPERATOR_UPSTREAM_LOCAL_PORT:
        address = &record.upstream_local
    elif operator <= OPERATOR_DOWNSTREAM_REMOTE_PORT:
        address = &record.downstream_remote
    else:
        address = &record.downstream_local
    put_address(out, address, part, style)
    return True


cdef bint put_text(OutC* out, const LineC* line, const OperationC* operation) noexcept nogil:
    cdef size_t size = line.sizes[operation.text]
    if size:
        put_string(out, line.texts[operation.text], min(size, <size_t>operation.limit), operation.style)
    return size != 0


cdef bint put_extra(OutC* out, const LineC* line, OperationC* operation) noexcept nogil:
    cdef uint16_t size = 0
    cdef const uint8_t* text = find_extra(line, operation, &size)
    if text != NULL:
        put_string(out, text, min(size, operation.limit), operation.style)
    return text != NULL


cdef bint put_named(OutC* out, const LineC* line, const OperationC* operation) noexcept nogil:
    """A value that one of our own words tells, or an address."""
    cdef const RequestRecordC* record = line.record
    if operation.operator == OPERATOR_FLAGS:
        put_flags(out, record.flags, operation.style)
        return True
    if operation.operator == OPERATOR_PROTOCOL:
        return put_words(out, PROTOCOLS[record.protocol], operation.style)
    if operation.operator == OPERATOR_DETAILS:
        return put_details(out, record, operation.style)
    if operation.operator == OPERATOR_TERMINATION:
        return put_words(out, detail_text(record.termination), operation.style)
    if operation.operator != OPERATOR_UPSTREAM_FAILURE:
        return put_some_address(out, record, operation.operator, operation.style)
    if line.sizes[<int>TEXT_UPSTREAM_FAILURE]:
        return put_text(out, line, operation)
    return record.error != 0 and put_words(out, strerror(record.error), operation.style)


cdef bint put_value(OutC* out, const LineC* line, OperationC* operation) noexcept nogil:
    """Put the value; False, and nothing, when there is none."""
    cdef int64_t time_ms
    if operation.operator == OPERATOR_TEXT:
        return put_text(out, line, operation)
    if operation.operator == OPERATOR_EXTRA:
        return put_extra(out, line, operation)
    if operation.operator == OPERATOR_START_TIME:
        put_time(out, line.record.start_time_us, operation.style)
    elif operation.operator == OPERATOR_STATUS:
        put_number(out, line.record.status)
    elif operation.operator >= OPERATOR_DURATION:
        time_ms = milliseconds(line.record, operation.operator)
        if time_ms < 0:
            return False
        put_number(out, <uint64_t>time_ms)
    elif operation.operator >= OPERATOR_BYTES_RECEIVED:
        put_number(out, number_of(line.record, operation.operator))
    elif operation.operator != OPERATOR_NONE:
        return put_named(out, line, operation)
    return True


cdef void put_line(OutC* out, const LineFormatC* format, const LineC* line) noexcept nogil:
    """Append one line, for which there is room."""
    cdef uint32_t index
    cdef size_t begin
    cdef OperationC* operation
    for index in range(format.count):
        operation = &format.operations[index]
        begin = out.size
        put(out, operation.literal, operation.literal_size)
        if put_value(out, line, operation):
            continue
        if operation.alternate != NULL and put_value(out, line, <OperationC*>operation.alternate):
            continue
        if operation.optional:
            out.size = begin
        else:
            put_absent(out, operation.style)


cdef void put_record(
    OutC* out, const void* record, const LineFormatC* connection, const LineFormatC* request
) noexcept nogil:
    cdef LineC line
    cdef RequestRecordC room
    if (<const uint32_t*>record)[0] == ACCESS_CONNECTION:
        look_at_connection(&line, &room, <const AccessRecordC*>record)
        put_line(out, connection, &line)
    else:
        look_at_request(&line, <const RequestEntryC*>record)
        put_line(out, request, &line)

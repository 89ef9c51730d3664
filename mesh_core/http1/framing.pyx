"""Framing; the contract stands in framing.pxd."""

from libc.stdint cimport uint32_t
from libc.string cimport memset
from mesh_core.http1.errors cimport (
    HTTP1_BAD_CODING,
    HTTP1_BAD_CONNECTION,
    HTTP1_BAD_EXPECT,
    HTTP1_BAD_HOST,
    HTTP1_BAD_LENGTH,
    HTTP1_BAD_UPGRADE,
    HTTP1_CODING_IN_1_0,
    HTTP1_FORBIDDEN_BODY,
    HTTP1_FORBIDDEN_OPTION,
    HTTP1_FORBIDDEN_TRAILER,
    HTTP1_LENGTH_AND_CODING,
    HTTP1_NO_HOST,
    HTTP1_OK,
    HTTP1_REPEATED_CODING,
    HTTP1_REPEATED_HOST,
    HTTP1_REPEATED_LENGTH,
    HTTP1_UNEXPECTED_UPGRADE,
)
from mesh_core.http1.field_names cimport (
    FIELD_CONNECTION,
    FIELD_CONTENT_LENGTH,
    FIELD_EXPECT,
    FIELD_HOP_BY_HOP,
    FIELD_HOST,
    FIELD_KEEP_ALIVE,
    FIELD_NO_OPTION,
    FIELD_NO_TRAILER,
    FIELD_TRANSFER_ENCODING,
    FIELD_UPGRADE,
    field_name_find,
)
from mesh_core.http1.grammar cimport equals_ignoring_case, is_token, list_next, parse_decimal
from mesh_core.http1.head cimport FIELD_PLAIN_LENGTH, FIELD_REMOVED, HEAD_REQUEST, FieldC
from mesh_core.http1.method cimport METHOD_CONNECT, METHOD_HEAD
from mesh_core.includes.likely cimport unlikely
from mesh_core.http1.target cimport TARGET_ABSOLUTE, TARGET_AUTHORITY, authority_is_valid


cdef enum:
    SINGLE_NAMES = 1 << FIELD_HOST | 1 << FIELD_CONTENT_LENGTH
    # Of which more is to be found out than where they are.
    CONNECTION_NAMES = (
        1 << FIELD_TRANSFER_ENCODING | 1 << FIELD_CONNECTION | 1 << FIELD_UPGRADE | 1 << FIELD_EXPECT
        | 1 << FIELD_KEEP_ALIVE | 1 << FIELD_HOP_BY_HOP)


# What the fields say before it is known what holds for the whole message.
cdef struct FoundC:
    const FieldC* host
    FieldC* length
    const FieldC* coding
    const FieldC* upgrade
    const FieldC* expect
    uint32_t options
    bint close
    bint keep_alive
    bint names_upgrade


cdef int request_framing(HeadC* head, const uint8_t* data, FramingC* out) noexcept nogil:
    cdef FoundC found
    cdef int error = find_fields(head, data, &found)
    memset(out, 0, sizeof(FramingC))
    if error == HTTP1_OK:
        error = judge_host(head, data, &found, out)
    if error == HTTP1_OK:
        error = judge_lengths(head, data, &found, out)
    if error == HTTP1_OK and found.expect != NULL and not is_word(data, found.expect.value, b"100-continue", 12):
        error = HTTP1_BAD_EXPECT
    if error == HTTP1_OK and found.upgrade != NULL:
        error = judge_upgrade(head, data, &found, out)
    if unlikely(error):
        return error
    if unlikely(head.method_id == METHOD_CONNECT):
        # Its content would have no meaning (RFC 9110, section 9.3.6), and what follows may be the tunnel's.
        if found.coding != NULL or out.length:
            return HTTP1_FORBIDDEN_BODY
        out.body = BODY_NONE
    out.keep_alive = keeps_alive(head, &found)
    # Of a 1.0 request or one without a body it must be ignored (RFC 9110, section 10.1.1), which nobody could who gets
    # it from us.
    out.expects_continue = found.expect != NULL and head.minor_version == 1 and (
        out.body == BODY_CHUNKED or out.length > 0)
    if found.expect != NULL and not out.expects_continue:
        head.fields[found.expect - head.fields].flags |= FIELD_REMOVED
    return HTTP1_OK


cdef int response_framing(
    HeadC* head, const uint8_t* data, int request_method, bint upgrade_asked, FramingC* out
) noexcept nogil:
    cdef FoundC found
    cdef int error = find_fields(head, data, &found)
    cdef bint switches = head.status == 101
    cdef bint tunnels = switches or (request_method == METHOD_CONNECT and 200 <= head.status < 300)
    memset(out, 0, sizeof(FramingC))
    if error == HTTP1_OK:
        error = judge_lengths(head, data, &found, out)
    if error == HTTP1_OK and found.upgrade != NULL:
        error = judge_upgrade(head, data, &found, out)
    if unlikely(error):
        return error
    if switches and not (upgrade_asked and out.has_upgrade and head.minor_version):
        return HTTP1_UNEXPECTED_UPGRADE
    out.has_upgrade = switches
    out.is_interim = head.status < 200 and not switches
    out.keep_alive = keeps_alive(head, &found) and not tunnels
    if tunnels or head.status < 200 or head.status == 204:
        # RFC 9110, sections 8.6 and 9.3.6: no length, no coding; an upstream that says more may mean a body.
        if found.coding != NULL or out.length:
            return HTTP1_FORBIDDEN_BODY
        out.body = BODY_TUNNEL if tunnels else BODY_NONE
    elif request_method == METHOD_HEAD or head.status == 304:
        out.states_length = found.length != NULL
        out.body = BODY_NONE
    elif out.body == BODY_NONE:
        out.body = BODY_UNTIL_CLOSE
        out.keep_alive = False
    return HTTP1_OK


cdef int trailers_check(HeadC* trailers) noexcept nogil:
    cdef uint32_t index
    for index in range(trailers.field_count):
        if trailers.fields[index].rules & FIELD_NO_TRAILER:
            return HTTP1_FORBIDDEN_TRAILER
    return HTTP1_OK


# --- one field at a time ---

cdef inline int find_fields(HeadC* head, const uint8_t* data, FoundC* found) noexcept nogil:
    """Find the fields that matter, each at most once, and mark those that end here."""
    memset(found, 0, sizeof(FoundC))
    if head.names & CONNECTION_NAMES or head.repeated & SINGLE_NAMES:
        return search_fields(head, data, found)
    if head.names & 1 << FIELD_HOST:
        found.host = &head.fields[head.last[<int>FIELD_HOST]]
    if head.names & 1 << FIELD_CONTENT_LENGTH:
        found.length = &head.fields[head.last[<int>FIELD_CONTENT_LENGTH]]
    return HTTP1_OK


cdef int search_fields(HeadC* head, const uint8_t* data, FoundC* found) noexcept nogil:
    """The same, field by field: which of several faults is told depends on their order."""
    cdef FieldC* field
    cdef uint32_t index
    cdef int error = HTTP1_OK
    for index in range(head.field_count):
        field = &head.fields[index]
        if field.id == FIELD_HOST:
            if found.host != NULL and head.kind == HEAD_REQUEST:
                return HTTP1_REPEATED_HOST
            found.host = field
        elif field.id == FIELD_CONTENT_LENGTH:
            if found.length != NULL:
                return HTTP1_REPEATED_LENGTH
            found.length = field
        elif field.id == FIELD_TRANSFER_ENCODING:
            if found.coding != NULL:
                return HTTP1_REPEATED_CODING
            found.coding = field
            field.flags |= FIELD_REMOVED
        elif field.id == FIELD_UPGRADE:
            if found.upgrade != NULL:
                return HTTP1_BAD_UPGRADE
            found.upgrade = field
            field.flags |= FIELD_REMOVED
        elif field.id == FIELD_EXPECT:
            if found.expect != NULL:
                return HTTP1_BAD_EXPECT
            found.expect = field
        elif field.id == FIELD_CONNECTION:
            error = take_options(head, data, field, found)
        elif field.id == FIELD_KEEP_ALIVE or field.id == FIELD_HOP_BY_HOP:
            field.flags |= FIELD_REMOVED
        if error:
            return error
    return HTTP1_OK


cdef int take_options(HeadC* head, const uint8_t* data, FieldC* connection, FoundC* found) noexcept nogil:
    """What one Connection field says."""
    cdef uint32_t at = connection.value.at
    cdef uint32_t end = at + connection.value.size
    cdef SliceC option
    cdef uint8_t rules
    connection.flags |= FIELD_REMOVED
    while list_next(data, &at, end, &option):
        found.options += 1
        if found.options > CONNECTION_OPTION_LIMIT or not is_token(data + option.at, option.size):
            return HTTP1_BAD_CONNECTION
        if is_word(data, option, b"close", 5):
            found.close = True
        elif is_word(data, option, b"keep-alive", 10):
            found.keep_alive = True
        else:
            if field_name_find(data + option.at, option.size, &rules) == FIELD_UPGRADE:
                found.names_upgrade = True
            if rules & FIELD_NO_OPTION:
                return HTTP1_FORBIDDEN_OPTION
            remove_fields(head, data, option)
    return HTTP1_OK


cdef void remove_fields(HeadC* head, const uint8_t* data, SliceC name) noexcept nogil:
    cdef FieldC* field
    cdef uint32_t index
    for index in range(head.field_count):
        field = &head.fields[index]
        if field.name.size == name.size and equals_ignoring_case(data + field.name.at, data + name.at, name.size):
            field.flags |= FIELD_REMOVED


cdef inline bint is_word(const uint8_t* data, SliceC text, const char* word, uint32_t size) noexcept nogil:
    return text.size == size and equals_ignoring_case(data + text.at, <const uint8_t*>word, size)


cdef inline bint keeps_alive(const HeadC* head, const FoundC* found) noexcept nogil:
    return not found.close and (head.minor_version == 1 or found.keep_alive)


# --- what they say together ---

cdef int judge_host(const HeadC* head, const uint8_t* data, const FoundC* found, FramingC* out) noexcept nogil:
    if found.host != NULL:
        if unlikely(not authority_is_valid(data, found.host.value, False)):
            return HTTP1_BAD_HOST
        out.authority = found.host.value
    elif head.minor_version == 1:
        return HTTP1_NO_HOST
    # The target's goes before that of Host, which a proxy must not look at then (RFC 9112, section 3.2.2).
    if head.target.form == TARGET_ABSOLUTE or head.target.form == TARGET_AUTHORITY:
        out.authority = head.target.authority
    return HTTP1_OK


cdef inline int judge_lengths(HeadC* head, const uint8_t* data, const FoundC* found, FramingC* out) noexcept nogil:
    if found.coding == NULL and found.length == NULL:
        return HTTP1_OK
    return judge_stated_length(head, data, found, out)


cdef int judge_stated_length(HeadC* head, const uint8_t* data, const FoundC* found, FramingC* out) noexcept nogil:
    if found.coding != NULL:
        if head.minor_version == 0:
            return HTTP1_CODING_IN_1_0
        # With a tab behind it llhttp finds another coding, so nothing may stand there.
        if not is_word(data, found.coding.value, b"chunked", 7) or data[found.coding.value.at + 7] != c"\r":
            return HTTP1_BAD_CODING
        if found.length != NULL:
            return HTTP1_LENGTH_AND_CODING
        out.body = BODY_CHUNKED
    else:
        if not parse_decimal(data + found.length.value.at, found.length.value.size, &out.length):
            return HTTP1_BAD_LENGTH
        if found.length.value.size == 1 or data[found.length.value.at] != c"0":
            head.length = out.length
            found.length.flags |= FIELD_PLAIN_LENGTH
        out.body = BODY_LENGTH
    return HTTP1_OK


cdef int judge_upgrade(const HeadC* head, const uint8_t* data, const FoundC* found, FramingC* out) noexcept nogil:
    cdef SliceC protocol
    cdef uint32_t at, end, slash, count = 0
    if not found.names_upgrade or head.minor_version == 0:
        return HTTP1_OK
    at = found.upgrade.value.at
    end = at + found.upgrade.value.size
    while list_next(data, &at, end, &protocol):
        slash = 0
        while slash < protocol.size and data[protocol.at + slash] != c"/":
            slash += 1
        if not is_token(data + protocol.at, slash):
            return HTTP1_BAD_UPGRADE
        if slash < protocol.size and not is_token(data + protocol.at + slash + 1, protocol.size - slash - 1):
            return HTTP1_BAD_UPGRADE
        count += 1
    if count == 0:
        return HTTP1_BAD_UPGRADE
    out.has_upgrade = True
    out.upgrade = found.upgrade.value
    return HTTP1_OK

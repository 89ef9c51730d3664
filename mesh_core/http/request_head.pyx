"""The head of a request for the upstream; the contract stands in request_head.pxd."""

from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memchr, memcmp, memcpy, memset
from mesh_core.http.stream cimport MESSAGE_BYTES, STREAM_UPGRADE, TEXT_BYTES, HttpWorkerC
from mesh_core.http.tracing cimport TRACE_FIELDS_MOST, TRACE_ROOM_BYTES, trace_fields_add
from mesh_core.http1.field_names cimport FIELD_X_FORWARDED_FOR, FIELD_X_FORWARDED_PROTO, FIELD_X_REQUEST_ID
from mesh_core.http1.head cimport FIELD_REMOVED, FieldC
from mesh_core.http1.method cimport METHOD_CONNECT
from mesh_core.http1.serialize cimport (
    CONNECTION_UNSAID, CONNECTION_UPGRADE, AddedFieldC, OutputC, TextC, request_write,
)
from mesh_core.http1.target cimport TARGET_ORIGIN
from mesh_core.includes.likely cimport unlikely
from mesh_core.net.address cimport ADDRESS_TEXT_BYTES, PeerAddressC, address_format_host
from mesh_core.includes.socket cimport AF_INET, AF_INET6
from mesh_core.routing.header_edits cimport HEADER_ADDED_MOST, header_edits_apply
from mesh_core.routing.path_rewrite cimport route_target_write
from mesh_core.routing.route cimport PATH_UNCHANGED, route_authority
from mesh_core.snapshot.http_settings cimport FORWARDED_APPEND, FORWARDED_KEEP, FORWARDED_OVERWRITE, HttpSettingsC
from mesh_core.telemetry.access_record cimport TEXT_REQUEST_ID
from mesh_core.telemetry.request_capture cimport capture_text
from mesh_core.telemetry.request_id cimport REQUEST_ID_BYTES, request_id_write

cdef enum:
    OWN_FIELDS = 3 + TRACE_FIELDS_MOST
    ADDED_MOST = HEADER_ADDED_MOST + OWN_FIELDS
    FORWARDED_BYTES = 8192     # of an X-Forwarded-For that is made one field again
    OWN_LINES_BYTES = FORWARDED_BYTES + 128  # and the other lines of own_lines_write


cdef int64_t request_head_write(
    StreamC* stream, HeadC* head, const FramingC* framing, const RequestViewC* view
) noexcept nogil:
    cdef HttpWorkerC* worker = stream.worker
    cdef AddedFieldC[ADDED_MOST] added
    cdef uint8_t[OWN_LINES_BYTES] lines
    cdef uint8_t[TRACE_ROOM_BYTES] trace
    cdef OutputC output
    cdef TextC authority = route_authority(stream.route, view)
    cdef TextC target
    cdef int64_t target_bytes
    memset(&output, 0, sizeof(OutputC))
    output.body = framing.body
    output.length = framing.length
    output.connection = CONNECTION_UNSAID
    output.added = &added[0]
    output.own_lines = TextC(&lines[0], own_lines_write(stream, head, view, lines))
    if unlikely(stream.route.request_headers.count or stream.chosen.request_headers.count):
        add_edited(stream, head, view, added, &output, trace)
    elif unlikely(stream.trace.present):
        trace_fields_add(stream, head, view.data, added, &output.added_count, trace)
        output.own_count = output.added_count
    if unlikely(head.method_id == METHOD_CONNECT):
        target = TextC(view.data + head.whole_target.at, head.whole_target.size)
        authority = view.authority
    else:
        if stream.flags & STREAM_UPGRADE:
            output.connection = CONNECTION_UPGRADE
        if keeps_target(stream, head, view):
            target = TextC(view.data + head.whole_target.at, head.whole_target.size)
        else:
            target_bytes = route_target_write(stream.route, view, worker.text, TEXT_BYTES)
            if target_bytes < 0:
                return target_bytes
            target = TextC(worker.text, target_bytes)
    if unlikely(not authority.size):
        # HTTP/1.0 without Host; HTTP/1.1 must have one.
        authority = endpoint_authority(stream)
    return request_write(head, view.data, target, authority, &output, worker.message, MESSAGE_BYTES)


cdef inline bint keeps_target(const StreamC* stream, const HeadC* head, const RequestViewC* view) noexcept nogil:
    """Whether the upstream is asked for exactly what this was."""
    return (
        stream.route.path.kind == PATH_UNCHANGED and head.target.form == TARGET_ORIGIN
        and view.path.size == head.target.path.size
        and memcmp(view.path.bytes, view.data + head.target.path.at, view.path.size) == 0)


cdef void add_edited(
    StreamC* stream, HeadC* head, const RequestViewC* view, AddedFieldC* added, OutputC* output, uint8_t* trace
) noexcept nogil:
    """With edits of the route or the cluster, which what this program adds is subject to as well."""
    cdef uint32_t count = lines_as_fields(&output.own_lines, added)
    output.own_lines.size = 0
    if stream.trace.present:
        trace_fields_add(stream, head, view.data, added, &count, trace)
    count = header_edits_apply(&stream.route.request_headers, head, view.data, added, count, ADDED_MOST)
    output.added_count = header_edits_apply(
        &stream.chosen.request_headers, head, view.data, added, count, ADDED_MOST)


cdef uint32_t lines_as_fields(const TextC* lines, AddedFieldC* added) noexcept nogil:
    """The same as separate fields, which point into them; how many."""
    cdef const uint8_t* at = lines.bytes
    cdef const uint8_t* end = lines.bytes + lines.size
    cdef const uint8_t* colon
    cdef const uint8_t* stop
    cdef uint32_t count = 0
    while at < end:
        colon = <const uint8_t*>memchr(at, c":", end - at)
        stop = <const uint8_t*>memchr(colon, c"\r", end - colon)
        added[count] = AddedFieldC(TextC(at, colon - at), TextC(colon + 2, stop - colon - 2))
        count += 1
        at = stop + 2
    return count


cdef TextC endpoint_authority(const StreamC* stream) noexcept nogil:
    cdef int family = stream.endpoint.address.ss_family
    if family == AF_INET or family == AF_INET6:
        return TextC(<const uint8_t*>stream.endpoint.name.text, stream.endpoint.name.size)
    return TextC(<const uint8_t*>b"localhost", 9)


# --- the fields that this program adds to every request ---

cdef inline size_t own_lines_write(
    StreamC* stream, HeadC* head, const RequestViewC* view, uint8_t* lines
) noexcept nogil:
    """Their lines, in OWN_LINES_BYTES; what they replace becomes FIELD_REMOVED. The size of all."""
    cdef uint8_t* at = put_request_id(stream, head, lines)
    if stream.http.settings.forwarded_headers != FORWARDED_KEEP:
        at = put_forwarded_proto(stream, head, view, at)
        at = put_forwarded_for(stream, head, view, at)
    return at - lines


cdef inline uint8_t* put_request_id(StreamC* stream, HeadC* head, uint8_t* at) noexcept nogil:
    cdef const HttpSettingsC* settings = &stream.http.settings
    if head.names & 1 << FIELD_X_REQUEST_ID:
        if settings.preserve_external_request_id:
            return at
        remove_all(head, FIELD_X_REQUEST_ID)
    if not settings.generate_request_id:
        return at
    memcpy(at, b"x-request-id: ", 14)
    request_id_write(&stream.worker.core.request_ids, at + 14)
    if unlikely(stream.capture != NULL):
        capture_text(stream.capture, TEXT_REQUEST_ID, at + 14, REQUEST_ID_BYTES)
    return put_line_end(at + 14 + REQUEST_ID_BYTES)


cdef inline uint8_t* put_forwarded_proto(
    StreamC* stream, HeadC* head, const RequestViewC* view, uint8_t* at
) noexcept nogil:
    if head.names & 1 << FIELD_X_FORWARDED_PROTO:
        if stream.http.settings.forwarded_headers != FORWARDED_OVERWRITE:
            return at
        remove_all(head, FIELD_X_FORWARDED_PROTO)
    memcpy(at, b"x-forwarded-proto: http", 23)
    at += 23
    if view.secure:
        at[0] = c"s"
        at += 1
    return put_line_end(at)


cdef inline uint8_t* put_forwarded_for(
    StreamC* stream, HeadC* head, const RequestViewC* view, uint8_t* at
) noexcept nogil:
    memcpy(at, b"x-forwarded-for: ", 17)
    at += 17
    if head.names & 1 << FIELD_X_FORWARDED_FOR:
        if stream.http.settings.forwarded_headers == FORWARDED_OVERWRITE:
            remove_all(head, FIELD_X_FORWARDED_FOR)
        elif stream.http.settings.forwarded_headers == FORWARDED_APPEND:
            at += take_forwarded_for(head, view.data, at)
    at += write_address(view.remote, at)
    return put_line_end(at)


cdef size_t take_forwarded_for(HeadC* head, const uint8_t* data, uint8_t* out) noexcept nogil:
    """What the one received field says, with a comma behind it, so that it stays one for those who look at one only;
    nothing where there are more, or it is too long. The bytes written."""
    cdef FieldC* only = NULL
    cdef uint32_t index
    cdef size_t size
    for index in range(head.field_count):
        if head.fields[index].id == FIELD_X_FORWARDED_FOR:
            if only != NULL:
                return 0
            only = &head.fields[index]
    if only == NULL or only.value.size + ADDRESS_TEXT_BYTES + 2 > FORWARDED_BYTES:
        return 0
    only.flags |= FIELD_REMOVED
    size = only.value.size
    if not size:
        return 0
    memcpy(out, data + only.value.at, size)
    memcpy(out + size, b", ", 2)
    return size + 2


cdef void remove_all(HeadC* head, uint8_t id) noexcept nogil:
    cdef uint32_t index
    for index in range(head.field_count):
        if head.fields[index].id == id:
            head.fields[index].flags |= FIELD_REMOVED


cdef inline uint8_t* put_line_end(uint8_t* at) noexcept nogil:
    memcpy(at, b"\r\n", 2)
    return at + 2


cdef size_t write_address(const PeerAddressC* remote, uint8_t* out) noexcept nogil:
    """The address without its port; "unknown" of a Unix socket's peer (RFC 7239, section 6.2)."""
    cdef int size = address_format_host(remote, <char*>out)
    if size:
        return size
    memcpy(out, b"unknown", 7)
    return 7

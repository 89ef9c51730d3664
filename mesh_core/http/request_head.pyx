"""The head of a request for the upstream; the contract stands in request_head.pxd."""

from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcpy, memset
from mesh_core.http.stream cimport MESSAGE_BYTES, STREAM_UPGRADE, TEXT_BYTES, HttpWorkerC
from mesh_core.http.tracing cimport TRACE_FIELDS_MOST, TRACE_ROOM_BYTES, trace_fields_add
from mesh_core.http1.grammar cimport equals_ignoring_case
from mesh_core.http1.head cimport FIELD_REMOVED, FieldC
from mesh_core.http1.method cimport METHOD_CONNECT
from mesh_core.http1.serialize cimport (
    CONNECTION_UNSAID, CONNECTION_UPGRADE, AddedFieldC, OutputC, TextC, request_write,
)
from mesh_core.net.address cimport ADDRESS_TEXT_BYTES, PeerAddressC, address_format_host
from mesh_core.includes.socket cimport AF_INET, AF_INET6
from mesh_core.routing.header_edits cimport HEADER_ADDED_MOST, header_edits_apply
from mesh_core.routing.path_rewrite cimport route_target_write
from mesh_core.routing.route cimport route_authority
from mesh_core.snapshot.http_settings cimport FORWARDED_APPEND, FORWARDED_KEEP, FORWARDED_OVERWRITE, HttpSettingsC
from mesh_core.telemetry.access_record cimport TEXT_REQUEST_ID
from mesh_core.telemetry.request_capture cimport capture_text
from mesh_core.telemetry.request_id cimport REQUEST_ID_BYTES, request_id_write

cdef enum:
    OWN_FIELDS = 3 + TRACE_FIELDS_MOST
    FORWARDED_BYTES = 8192     # of an X-Forwarded-For that is made one field again

cdef const char* REQUEST_ID = b"x-request-id"
cdef const char* FORWARDED_FOR = b"x-forwarded-for"
cdef const char* FORWARDED_PROTO = b"x-forwarded-proto"


# The fields that the proxy looks for by name.
cdef struct KnownC:
    FieldC* request_id
    FieldC* forwarded_for      # the last one
    uint32_t forwarded_for_count
    FieldC* forwarded_proto


cdef int64_t request_head_write(
    StreamC* stream, HeadC* head, const FramingC* framing, const RequestViewC* view
) noexcept nogil:
    cdef HttpWorkerC* worker = stream.worker
    cdef AddedFieldC[HEADER_ADDED_MOST + OWN_FIELDS] added
    cdef uint8_t[REQUEST_ID_BYTES] request_id
    cdef uint8_t[FORWARDED_BYTES] forwarded
    cdef uint8_t[TRACE_ROOM_BYTES] trace
    cdef OutputC output
    cdef KnownC known
    cdef TextC authority = route_authority(stream.route, view)
    cdef TextC target
    cdef int64_t target_bytes
    memset(&output, 0, sizeof(OutputC))
    output.body = framing.body
    output.length = framing.length
    output.connection = CONNECTION_UNSAID
    output.added = &added[0]
    find_known(head, view.data, &known)
    add_request_id(stream, &known, view, added, &output.added_count, request_id)
    add_forwarded(stream, &known, view, added, &output.added_count, forwarded)
    if stream.trace.present:
        trace_fields_add(stream, head, view.data, added, &output.added_count, trace)
    if not stream.route.request_headers.count and not stream.chosen.request_headers.count:
        output.own_count = output.added_count
    output.added_count = header_edits_apply(
        &stream.route.request_headers, head, view.data, added, output.added_count, HEADER_ADDED_MOST + OWN_FIELDS)
    output.added_count = header_edits_apply(
        &stream.chosen.request_headers, head, view.data, added, output.added_count, HEADER_ADDED_MOST + OWN_FIELDS)
    if head.method_id == METHOD_CONNECT:
        target = TextC(view.data + head.whole_target.at, head.whole_target.size)
        authority = view.authority
    else:
        if stream.flags & STREAM_UPGRADE:
            output.connection = CONNECTION_UPGRADE
        target_bytes = route_target_write(stream.route, view, worker.text, TEXT_BYTES)
        if target_bytes < 0:
            return target_bytes
        target = TextC(worker.text, target_bytes)
    if not authority.size:
        # HTTP/1.0 without Host; HTTP/1.1 must have one.
        authority = endpoint_authority(stream)
    return request_write(head, view.data, target, authority, &output, worker.message, MESSAGE_BYTES)


cdef TextC endpoint_authority(const StreamC* stream) noexcept nogil:
    cdef int family = stream.endpoint.address.ss_family
    if family == AF_INET or family == AF_INET6:
        return TextC(<const uint8_t*>stream.endpoint.name.text, stream.endpoint.name.size)
    return TextC(<const uint8_t*>b"localhost", 9)


cdef void find_known(HeadC* head, const uint8_t* data, KnownC* known) noexcept nogil:
    cdef FieldC* field
    cdef uint32_t index
    memset(known, 0, sizeof(KnownC))
    for index in range(head.field_count):
        field = &head.fields[index]
        if field.name.size == 12:
            if is_named(field, data, REQUEST_ID):
                known.request_id = field
        elif field.name.size == 15:
            if is_named(field, data, FORWARDED_FOR):
                known.forwarded_for = field
                known.forwarded_for_count += 1
        elif field.name.size == 17 and is_named(field, data, FORWARDED_PROTO):
            known.forwarded_proto = field


cdef bint is_named(const FieldC* field, const uint8_t* data, const char* name) noexcept nogil:
    return equals_ignoring_case(data + field.name.at, <const uint8_t*>name, field.name.size)


cdef void add(AddedFieldC* added, uint32_t* count, const char* name, size_t name_bytes, TextC value) noexcept nogil:
    added[count[0]] = AddedFieldC(TextC(<const uint8_t*>name, name_bytes), value)
    count[0] += 1


cdef void remove_named(HeadC* head, const uint8_t* data, const char* name, size_t size) noexcept nogil:
    cdef FieldC* field
    cdef uint32_t index
    for index in range(head.field_count):
        field = &head.fields[index]
        if field.name.size == size and is_named(field, data, name):
            field.flags |= FIELD_REMOVED


cdef void add_request_id(
    StreamC* stream, const KnownC* known, const RequestViewC* view, AddedFieldC* added, uint32_t* count, uint8_t* room
) noexcept nogil:
    cdef const HttpSettingsC* settings = &stream.http.settings
    if known.request_id != NULL:
        if settings.preserve_external_request_id:
            return
        remove_named(<HeadC*>view.head, view.data, REQUEST_ID, 12)
    if not settings.generate_request_id:
        return
    request_id_write(&stream.worker.core.request_ids, room)
    add(added, count, REQUEST_ID, 12, TextC(room, REQUEST_ID_BYTES))
    if stream.capture != NULL:
        capture_text(stream.capture, TEXT_REQUEST_ID, room, REQUEST_ID_BYTES)


cdef void add_forwarded(
    StreamC* stream, const KnownC* known, const RequestViewC* view, AddedFieldC* added, uint32_t* count, uint8_t* room
) noexcept nogil:
    """X-Forwarded-For and -Proto, as the settings say."""
    cdef int way = stream.http.settings.forwarded_headers
    cdef HeadC* head = <HeadC*>view.head
    cdef size_t size = 0
    if way == FORWARDED_KEEP:
        return
    if known.forwarded_proto != NULL and way == FORWARDED_OVERWRITE:
        remove_named(head, view.data, FORWARDED_PROTO, 17)
    if known.forwarded_proto == NULL or way == FORWARDED_OVERWRITE:
        add(added, count, FORWARDED_PROTO, 17,
            TextC(<const uint8_t*>b"https", 5) if view.secure else TextC(<const uint8_t*>b"http", 4))
    if known.forwarded_for != NULL:
        if way == FORWARDED_APPEND and known.forwarded_for_count == 1 and (
                known.forwarded_for.value.size + ADDRESS_TEXT_BYTES + 2 <= FORWARDED_BYTES):
            # One field, as those expect who look at one only.
            size = known.forwarded_for.value.size
            memcpy(room, view.data + known.forwarded_for.value.at, size)
            memcpy(room + size, b", ", 2)
            size += 2 if size else 0
            known.forwarded_for.flags |= FIELD_REMOVED
        elif way == FORWARDED_OVERWRITE:
            remove_named(head, view.data, FORWARDED_FOR, 15)
    size += write_address(view.remote, room + size)
    add(added, count, FORWARDED_FOR, 15, TextC(room, size))


cdef size_t write_address(const PeerAddressC* remote, uint8_t* out) noexcept nogil:
    """The address without its port; "unknown" of a Unix socket's peer (RFC 7239, section 6.2)."""
    cdef int size = address_format_host(remote, <char*>out)
    if size:
        return size
    memcpy(out, b"unknown", 7)
    return 7

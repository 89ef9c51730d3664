"""The head of a response for the downstream; the contract stands in response_head.pxd."""

from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memset, strlen
from mesh_core.http.downstream_head cimport downstream_framing
from mesh_core.http.explain cimport EXPLAIN_BYTES, explain_attempt, explain_name, explain_write
from mesh_core.http.policy_fields cimport POLICY_FIELDS_MOST, has_policy_fields, policy_fields_add
from mesh_core.http.stream cimport MESSAGE_BYTES, STREAM_AFFINITY, HttpWorkerC
from mesh_core.http1.framing cimport BODY_NONE, BODY_TUNNEL
from mesh_core.http1.method cimport METHOD_CONNECT
from mesh_core.http1.serialize cimport (
    CONNECTION_UNSAID, CONNECTION_UPGRADE, AddedFieldC, TextC, response_write,
)
from mesh_core.routing.cookie cimport COOKIE_WRITE_MOST
from mesh_core.routing.hash_policy cimport hash_cookie_write
from mesh_core.routing.header_edits cimport HEADER_ADDED_MOST, header_edits_apply
from mesh_core.routing.session_affinity cimport affinity_cookie_write

cdef const char* SET_COOKIE = b"set-cookie"

cdef enum:
    OWN_FIELDS = 3 + POLICY_FIELDS_MOST


cdef int64_t response_head_write(
    StreamC* stream, HeadC* head, const uint8_t* data, const FramingC* framing, OutputC* output
) noexcept nogil:
    cdef HttpWorkerC* worker = stream.worker
    cdef AddedFieldC[HEADER_ADDED_MOST + OWN_FIELDS] added
    cdef uint8_t[EXPLAIN_BYTES] explanation
    memset(output, 0, sizeof(OutputC))
    if framing.body == BODY_TUNNEL:
        output.body = BODY_NONE
        output.connection = CONNECTION_UNSAID if stream.method_id == METHOD_CONNECT else CONNECTION_UPGRADE
    else:
        downstream_framing(stream, framing.body, framing.length, output)
        if framing.states_length:
            output.states_length = True
    if has_policy_fields(stream):
        policy_fields_add(stream, head, data, added, &output.added_count)
        if not stream.chosen.response_headers.count and not stream.route.response_headers.count:
            output.own_count = output.added_count
    add_cookies(stream, added, &output.added_count)
    if stream.explain != NULL:
        # It needed several attempts.
        explain_attempt(&stream.explain, stream.endpoint, head.status, 0, 0)
        add_field(added, &output.added_count, explain_name(), explanation, explain_write(
            stream.explain, NULL, explanation))
    if stream.chosen.response_headers.count:
        output.added_count = header_edits_apply(
            &stream.chosen.response_headers, head, data, added, output.added_count, HEADER_ADDED_MOST + OWN_FIELDS)
    if stream.route.response_headers.count:
        output.added_count = header_edits_apply(
            &stream.route.response_headers, head, data, added, output.added_count, HEADER_ADDED_MOST + OWN_FIELDS)
    output.added = &added[0]
    return response_write(
        head, data, head.status, TextC(data + head.reason.at, head.reason.size), output, worker.message,
        MESSAGE_BYTES)


cdef void add_cookies(StreamC* stream, AddedFieldC* added, uint32_t* count) noexcept nogil:
    """Those that keep a session with its endpoint."""
    cdef uint8_t* room = stream.worker.text
    cdef size_t size
    if stream.flags & STREAM_AFFINITY:
        size = affinity_cookie_write(stream.route, stream.chosen, stream.endpoint, room, COOKIE_WRITE_MOST)
        add_field(added, count, SET_COOKIE, room, size)
        room += size
    if stream.hash.cookie != NULL:
        add_field(added, count, SET_COOKIE, room, hash_cookie_write(&stream.hash, room, COOKIE_WRITE_MOST))


cdef void add_field(
    AddedFieldC* added, uint32_t* count, const char* name, const uint8_t* value, size_t size
) noexcept nogil:
    if size:
        added[count[0]] = AddedFieldC(TextC(<const uint8_t*>name, strlen(name)), TextC(value, size))
        count[0] += 1


cdef int64_t interim_head_write(StreamC* stream, HeadC* head, const uint8_t* data) noexcept nogil:
    cdef OutputC output
    memset(&output, 0, sizeof(OutputC))
    output.body = BODY_NONE
    output.connection = CONNECTION_UNSAID
    return response_write(
        head, data, head.status, TextC(data + head.reason.at, head.reason.size), &output, stream.worker.message,
        MESSAGE_BYTES)

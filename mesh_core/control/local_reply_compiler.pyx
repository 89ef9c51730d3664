"""The local replies of an `http` setting; the contract stands in local_reply_compiler.pxd."""

from libc.stdint cimport uint16_t, uint32_t
from mesh_core.control.route_action_compiler cimport compile_edits, compile_text
from mesh_core.snapshot.local_replies cimport (
    PART_BODY, PART_CONNECTION_ID, PART_DETAIL, PART_FLAGS, PART_STATUS, PART_TEXT, LocalReplyPartC,
)

from mesh_core.config.access_log_format import LOCAL_REPLY_OPERATORS, Operator, parse_format
from mesh_core.telemetry.response_flags import DETAILS, FLAGS

KINDS = {
    "RESPONSE_CODE": PART_STATUS,
    "RESPONSE_CODE_DETAILS": PART_DETAIL,
    "RESPONSE_FLAGS": PART_FLAGS,
    "CONNECTION_ID": PART_CONNECTION_ID,
    "LOCAL_REPLY_BODY": PART_BODY,
}


cdef const LocalReplyC* compile_local_replies(Snapshot snapshot, replies) except? NULL:
    cdef LocalReplyC* table
    if not replies:
        return NULL
    table = <LocalReplyC*>snapshot.allocate(len(replies) * sizeof(LocalReplyC))
    for index, reply in enumerate(replies):
        compile_reply(snapshot, &table[<uint32_t>index], reply)
    return table


cdef compile_reply(Snapshot snapshot, LocalReplyC* out, reply):
    out.statuses = compile_numbers(snapshot, reply.statuses)
    out.status_count = <uint32_t>len(reply.statuses)
    for name in reply.flags:
        out.flags |= <uint32_t>FLAGS[name]
    out.details = compile_numbers(snapshot, [DETAILS[name] for name in reply.details])
    out.detail_count = <uint32_t>len(reply.details)
    out.status = reply.status or 0
    if reply.body is not None:
        out.has_body = True
        compile_parts(snapshot, out, parse_format(reply.body, LOCAL_REPLY_OPERATORS))
    out.content_type = compile_text(snapshot, reply.content_type or "")
    compile_edits(snapshot, &out.headers, reply.headers)


cdef const uint16_t* compile_numbers(Snapshot snapshot, numbers) except? NULL:
    cdef uint16_t* out = <uint16_t*>snapshot.allocate(len(numbers) * sizeof(uint16_t))
    for index, number in enumerate(numbers):
        out[<uint32_t>index] = number
    return out


cdef compile_parts(Snapshot snapshot, LocalReplyC* out, list parts):
    cdef LocalReplyPartC* table = <LocalReplyPartC*>snapshot.allocate(len(parts) * sizeof(LocalReplyPartC))
    for index, part in enumerate(parts):
        if isinstance(part, Operator):
            table[<uint32_t>index].kind = KINDS[part.name]
        else:
            table[<uint32_t>index].kind = PART_TEXT
            table[<uint32_t>index].text = compile_text(snapshot, part)
    out.parts = table
    out.part_count = <uint32_t>len(parts)

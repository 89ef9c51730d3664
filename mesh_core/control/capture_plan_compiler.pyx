"""What workers keep of heads for the access log; the contract stands in capture_plan_compiler.pxd."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy
from mesh_core.telemetry.access_record cimport (
    ACCESS_TEXT_LIMIT, TEXT_AUTHORITY, TEXT_METHOD, TEXT_PATH, TEXT_REQUEST_ID, TEXT_USER_AGENT, TEXT_X_FORWARDED_FOR,
)
from mesh_core.telemetry.request_capture cimport CapturedNameC, header_key

from mesh_core.control.access_log_lines import captured, request_pieces

# Texts that every record may have: of the head's first line, and of fields.
cdef dict LINE_TEXTS = {"METHOD": TEXT_METHOD, "PATH": TEXT_PATH, "AUTHORITY": TEXT_AUTHORITY}
cdef dict FIELD_TEXTS = {
    "USER_AGENT": (b"user-agent", TEXT_USER_AGENT),
    "REQUEST_ID": (b"x-request-id", TEXT_REQUEST_ID),
    "X_FORWARDED_FOR": (b"x-forwarded-for", TEXT_X_FORWARDED_FOR),
}


cdef CapturePlanC* compile_capture_plan(Snapshot snapshot, settings) except NULL:
    cdef CapturePlanC* plan = <CapturePlanC*>snapshot.allocate(sizeof(CapturePlanC))
    cdef list pieces = captured(request_pieces(settings))
    cdef dict limits = {}
    cdef list request_names = []
    cdef list response_names = []
    for piece in pieces:
        if piece.operator in LINE_TEXTS:
            plan.texts |= <uint32_t>1 << <int>LINE_TEXTS[piece.operator]
        elif piece.operator in FIELD_TEXTS:
            name, text = FIELD_TEXTS[piece.operator]
            limits[False, name] = (ACCESS_TEXT_LIMIT, text)
        elif piece.field:
            key = (piece.operator == "RESP", piece.field.encode())
            # As much as the one who asks for most.
            limits[key] = (max(piece.limit, limits.get(key, (0, -1))[0]), -1)
    for (is_response, name), (limit, text) in limits.items():
        (response_names if is_response else request_names).append((name, limit, text))
    plan.request_count = <uint32_t>len(request_names)
    plan.request_names = compile_names(snapshot, plan, request_names, False, &plan.request_sizes)
    plan.response_count = <uint32_t>len(response_names)
    plan.response_names = compile_names(snapshot, plan, response_names, True, &plan.response_sizes)
    return plan


cdef CapturedNameC* compile_names(
    Snapshot snapshot, CapturePlanC* plan, list names, bint is_response, uint64_t* sizes
) except NULL:
    cdef CapturedNameC* table = <CapturedNameC*>snapshot.allocate(len(names) * sizeof(CapturedNameC))
    cdef CapturedNameC* out
    cdef bytes encoded
    for index, (name, limit, text) in enumerate(names):
        encoded = name
        out = &table[index]
        out.name = <uint8_t*>snapshot.allocate(len(encoded))
        memcpy(<void*>out.name, <const char*>encoded, len(encoded))
        out.size = <uint16_t>len(encoded)
        out.limit = limit
        out.text = text
        out.key = header_key(out.name, out.size, is_response)
        sizes[0] |= <uint64_t>1 << min(<int>out.size, 63)
        if text < 0:
            out.extra = plan.extra_count
            plan.extra_count += 1
    return table

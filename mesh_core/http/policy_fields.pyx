"""Fields that traffic policies put into responses; the contract stands in policy_fields.pxd."""

from libc.stdint cimport uint64_t
from libc.string cimport strlen
from mesh_core.http.policy_state cimport PolicyStateC
from mesh_core.http1.grammar cimport SliceC, equals_ignoring_case, list_next, write_decimal
from mesh_core.http1.head cimport FIELD_REMOVED, FieldC
from mesh_core.http1.serialize cimport TextC
from mesh_core.routing.cors cimport CorsC, cors_varies

cdef const char* CORS_PREFIX = b"access-control-"

cdef enum:
    CORS_PREFIX_BYTES = 15


cdef void policy_fields_add(
    StreamC* stream, HeadC* head, const uint8_t* data, AddedFieldC* added, uint32_t* count
) noexcept nogil:
    cdef PolicyStateC* state = stream.policy
    if stream.route.cors != NULL and (state == NULL or not state.cors_left):
        remove_cors(head, data)
        add_cors(stream.route.cors, state, added, count)
        if cors_varies(stream.route.cors) and not varies_by_origin(head, data):
            add(added, count, b"vary", literal(b"Origin"))
    if state == NULL:
        return
    if state.tells_rate:
        add(added, count, b"x-ratelimit-limit", decimal(state.rate_tokens, state.digits[0]))
        add(added, count, b"x-ratelimit-remaining", decimal(state.rate_remaining, state.digits[1]))
        add(added, count, b"x-ratelimit-reset", decimal(state.rate_reset_s, state.digits[2]))
    if state.tells_retry:
        add(added, count, b"retry-after", decimal(state.retry_after_s, state.digits[3]))


cdef void add_cors(const CorsC* cors, PolicyStateC* state, AddedFieldC* added, uint32_t* count) noexcept nogil:
    if state == NULL or not state.cors_allowed:
        return
    if cors_varies(cors):
        add(added, count, b"access-control-allow-origin", TextC(&state.origin[0], state.origin_bytes))
    else:
        add(added, count, b"access-control-allow-origin", literal(b"*"))
    if cors.allow_credentials:
        add(added, count, b"access-control-allow-credentials", literal(b"true"))
    if not state.preflight:
        add(added, count, b"access-control-expose-headers", cors.exposed)
        return
    add(added, count, b"access-control-allow-methods",
        any_of(cors, state.asked_method) if cors.any_method else cors.methods)
    add(added, count, b"access-control-allow-headers",
        any_of(cors, state.asked_headers) if cors.any_header else cors.headers)
    add(added, count, b"access-control-max-age", cors.max_age)


cdef TextC any_of(const CorsC* cors, TextC asked) noexcept nogil:
    """With credentials a * is no more than a name of one character: what is asked for is named instead."""
    return asked if cors.allow_credentials else literal(b"*")


cdef void add(AddedFieldC* added, uint32_t* count, const char* name, TextC value) noexcept nogil:
    if value.size:
        added[count[0]] = AddedFieldC(literal(name), value)
        count[0] += 1


cdef TextC literal(const char* text) noexcept nogil:
    return TextC(<const uint8_t*>text, strlen(text))


cdef TextC decimal(uint64_t number, uint8_t* room) noexcept nogil:
    return TextC(room, write_decimal(room, number))


cdef void remove_cors(HeadC* head, const uint8_t* data) noexcept nogil:
    """The upstream's own word about CORS: said twice, a browser takes neither."""
    cdef FieldC* field
    cdef uint32_t index
    for index in range(head.field_count):
        field = &head.fields[index]
        if field.name.size > CORS_PREFIX_BYTES and equals_ignoring_case(
                data + field.name.at, <const uint8_t*>CORS_PREFIX, CORS_PREFIX_BYTES):
            field.flags |= FIELD_REMOVED


cdef bint varies_by_origin(const HeadC* head, const uint8_t* data) noexcept nogil:
    cdef const FieldC* field
    cdef SliceC name
    cdef uint32_t index, at, end
    for index in range(head.field_count):
        field = &head.fields[index]
        if field.name.size != 4 or field.flags & FIELD_REMOVED or not equals_ignoring_case(
                data + field.name.at, <const uint8_t*>b"vary", 4):
            continue
        at = field.value.at
        end = at + field.value.size
        while list_next(data, &at, end, &name):
            if (name.size == 1 and data[name.at] == c"*") or (name.size == 6 and equals_ignoring_case(
                    data + name.at, <const uint8_t*>b"origin", 6)):
                return True
    return False

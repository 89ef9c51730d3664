"""Trace context in headers; the contract stands in trace_context.pxd."""

from libc.stdlib cimport abort
from libc.string cimport memchr, memcmp, memcpy, memset
from mesh_core.http1.grammar cimport SliceC, hex_digit, list_next

cdef enum:
    MEMBERS_MOST = 32          # of a tracestate (W3C Trace Context, section 3.3.1.1)

cdef const char* DIGITS = b"0123456789abcdef"
cdef const char* NOTHING = b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"


cdef bint read_hex(const uint8_t* text, size_t bytes, bint lower_only, uint8_t* out) noexcept nogil:
    """`bytes` bytes from twice as many digits; False when there is anything else, or when all are zero."""
    cdef size_t index
    cdef int high, low
    for index in range(bytes):
        high = hex_digit(text[2 * index])
        low = hex_digit(text[2 * index + 1])
        if high < 0 or low < 0 or (lower_only and (is_upper(text[2 * index]) or is_upper(text[2 * index + 1]))):
            return False
        out[index] = <uint8_t>(high << 4 | low)
    return memcmp(out, NOTHING, bytes) != 0


cdef bint is_upper(uint8_t character) noexcept nogil:
    return c"A" <= character <= c"F"


cdef TraceVerdict traceparent_read(const uint8_t* text, size_t size, TraceContextC* out) noexcept nogil:
    """Section 3.2: version-traceid-parentid-flags. Of a later version what is known of it counts."""
    cdef uint8_t[TRACE_ID_BYTES] trace_id
    cdef uint8_t[SPAN_ID_BYTES] parent_id
    cdef uint8_t version, flags
    if size < TRACEPARENT_BYTES or text[2] != c"-" or text[35] != c"-" or text[52] != c"-":
        return TRACE_MALFORMED
    if not read_byte(text, &version) or not read_byte(text + 53, &flags) or version == 0xFF:
        return TRACE_MALFORMED
    if size > TRACEPARENT_BYTES and (not version or text[TRACEPARENT_BYTES] != c"-"):
        return TRACE_MALFORMED
    if not read_hex(text + 3, TRACE_ID_BYTES, True, trace_id) or not read_hex(
            text + 36, SPAN_ID_BYTES, True, parent_id):
        return TRACE_MALFORMED
    take_ids(out, trace_id, TRACE_ID_BYTES, parent_id)
    take_decision(out, flags & 1, False)
    return TRACE_FOUND


cdef bint read_byte(const uint8_t* text, uint8_t* out) noexcept nogil:
    if hex_digit(text[0]) < 0 or hex_digit(text[1]) < 0 or is_upper(text[0]) or is_upper(text[1]):
        return False
    out[0] = <uint8_t>(hex_digit(text[0]) << 4 | hex_digit(text[1]))
    return True


cdef void take_ids(TraceContextC* out, const uint8_t* trace_id, size_t size, const uint8_t* parent_id) noexcept nogil:
    memset(out.trace_id, 0, TRACE_ID_BYTES)
    memcpy(out.trace_id + TRACE_ID_BYTES - size, trace_id, size)
    memcpy(out.parent_id, parent_id, SPAN_ID_BYTES)
    out.short_id = size < <size_t>TRACE_ID_BYTES
    out.present = True


cdef void take_decision(TraceContextC* out, bint sampled, bint debug) noexcept nogil:
    out.sampled = sampled
    out.debug = debug
    out.has_decision = True


cdef TraceVerdict b3_read(const uint8_t* text, size_t size, TraceContextC* out) noexcept nogil:
    """traceid-spanid[-state[-parentspanid]], or the state alone."""
    cdef uint8_t[TRACE_ID_BYTES] trace_id
    cdef uint8_t[SPAN_ID_BYTES] parent_id
    cdef uint8_t[SPAN_ID_BYTES] grandparent_id
    cdef size_t id_bytes = TRACE_ID_BYTES if size > 32 and text[32] == c"-" else SPAN_ID_BYTES
    cdef size_t end = 2 * id_bytes + 1 + 2 * <size_t>SPAN_ID_BYTES
    if size == 1:
        return TRACE_DECISION if read_state(text[0], out) else TRACE_MALFORMED
    if size < end or text[2 * id_bytes] != c"-" or not read_hex(text, id_bytes, False, trace_id) or not read_hex(
            text + 2 * id_bytes + 1, SPAN_ID_BYTES, False, parent_id):
        return TRACE_MALFORMED
    if size > end:
        if size < end + 2 or text[end] != c"-" or (size != end + 2 and (
                size != end + 3 + 2 * <size_t>SPAN_ID_BYTES or text[end + 2] != c"-"
                or not read_hex(text + end + 3, SPAN_ID_BYTES, False, grandparent_id))):
            return TRACE_MALFORMED
        if not read_state(text[end + 1], out):
            return TRACE_MALFORMED
    take_ids(out, trace_id, id_bytes, parent_id)
    return TRACE_FOUND


cdef bint read_state(uint8_t state, TraceContextC* out) noexcept nogil:
    if state != c"0" and state != c"1" and state != c"d":
        return False
    take_decision(out, state != c"0", state == c"d")
    return True


cdef TraceVerdict b3_fields_read(const B3FieldsC* fields, TraceContextC* out) noexcept nogil:
    cdef uint8_t[TRACE_ID_BYTES] trace_id
    cdef uint8_t[SPAN_ID_BYTES] parent_id
    cdef size_t id_bytes = fields.trace_id_bytes // 2
    cdef bint has_ids = fields.trace_id_bytes or fields.span_id_bytes
    if has_ids and (
            (fields.trace_id_bytes != 32 and fields.trace_id_bytes != 16) or fields.span_id_bytes != 16
            or not read_hex(fields.trace_id, id_bytes, False, trace_id)
            or not read_hex(fields.span_id, SPAN_ID_BYTES, False, parent_id)):
        return TRACE_MALFORMED
    if fields.flags_bytes == 1 and fields.flags[0] == c"1":
        take_decision(out, True, True)
    elif fields.sampled_bytes and not read_sampled(fields.sampled, fields.sampled_bytes, out):
        return TRACE_MALFORMED
    if not has_ids:
        return TRACE_DECISION
    take_ids(out, trace_id, id_bytes, parent_id)
    return TRACE_FOUND


cdef bint read_sampled(const uint8_t* text, uint32_t size, TraceContextC* out) noexcept nogil:
    """1 and 0, and what old clients write."""
    if size == 1 and (text[0] == c"0" or text[0] == c"1"):
        return read_state(text[0], out)
    if size == 4 and memcmp(text, b"true", 4) == 0:
        return read_state(c"1", out)
    return size == 5 and memcmp(text, b"false", 5) == 0 and read_state(c"0", out)


cdef bint tracestate_is_sound(const uint8_t* text, uint32_t size, uint32_t* members) noexcept nogil:
    cdef SliceC member
    cdef uint32_t at = 0, equals
    while list_next(text, &at, size, &member):
        members[0] += 1
        equals = 0
        while equals < member.size and text[member.at + equals] != c"=":
            equals += 1
        if not equals or equals + 1 >= member.size or members[0] > <uint32_t>MEMBERS_MOST:
            return False
    return True


cdef size_t hex_write(const uint8_t* bytes, size_t size, uint8_t* out) noexcept nogil:
    cdef size_t index
    for index in range(size):
        out[2 * index] = DIGITS[bytes[index] >> 4]
        out[2 * index + 1] = DIGITS[bytes[index] & 15]
    return 2 * size


cdef size_t traceparent_write(const TraceContextC* trace, uint8_t* out) noexcept nogil:
    memcpy(out, b"00-", 3)
    hex_write(trace.trace_id, TRACE_ID_BYTES, out + 3)
    out[35] = c"-"
    hex_write(trace.span_id, SPAN_ID_BYTES, out + 36)
    memcpy(out + 52, b"-01" if trace.sampled else b"-00", 3)
    return TRACEPARENT_BYTES


cdef size_t b3_write(const TraceContextC* trace, uint8_t* out) noexcept nogil:
    cdef size_t skipped = SPAN_ID_BYTES if trace.short_id else 0
    cdef size_t size = hex_write(trace.trace_id + skipped, TRACE_ID_BYTES - skipped, out)
    out[size] = c"-"
    size += 1 + hex_write(trace.span_id, SPAN_ID_BYTES, out + size + 1)
    out[size] = c"-"
    out[size + 1] = c"d" if trace.debug else c"1" if trace.sampled else c"0"
    size += 2
    if memcmp(trace.parent_id, NOTHING, SPAN_ID_BYTES) != 0:
        out[size] = c"-"
        size += 1 + hex_write(trace.parent_id, SPAN_ID_BYTES, out + size + 1)
    return size


# --- fuzzing ---

cdef int fuzz_trace_context(const uint8_t* data, size_t size) noexcept nogil:
    cdef TraceContextC trace
    cdef uint32_t members = 0
    cdef TraceVerdict verdict
    if not size:
        return 0
    memset(&trace, 0, sizeof(trace))
    trace.span_id[0] = 1
    if data[0] % 4 == 3:
        if tracestate_is_sound(data + 1, <uint32_t>(size - 1), &members) and members > <uint32_t>MEMBERS_MOST:
            abort()
        return 0
    if data[0] % 4 == 0:
        verdict = traceparent_read(data + 1, size - 1, &trace)
    elif data[0] % 4 == 1:
        verdict = b3_read(data + 1, size - 1, &trace)
    else:
        verdict = read_lines(data + 1, size - 1, &trace)
    if (verdict == TRACE_FOUND) != trace.present or (verdict == TRACE_MALFORMED and trace.present):
        abort()
    if verdict == TRACE_FOUND:
        check_written(&trace)
    return 0


cdef TraceVerdict read_lines(const uint8_t* data, size_t size, TraceContextC* out) noexcept nogil:
    """Trace id, span id, sampled, flags, a line each."""
    cdef SliceC[4] lines
    cdef B3FieldsC fields
    cdef const uint8_t* end
    cdef size_t at = 0
    cdef int line
    for line in range(4):
        end = <const uint8_t*>memchr(data + at, c"\n", size - at) if at < size else NULL
        lines[line] = SliceC(<uint32_t>at, <uint32_t>((end - data if end != NULL else size) - at))
        at = end - data + 1 if end != NULL else size
    fields.trace_id, fields.trace_id_bytes = data + lines[0].at, lines[0].size
    fields.span_id, fields.span_id_bytes = data + lines[1].at, lines[1].size
    fields.sampled, fields.sampled_bytes = data + lines[2].at, lines[2].size
    fields.flags, fields.flags_bytes = data + lines[3].at, lines[3].size
    return b3_fields_read(&fields, out)


cdef void check_written(const TraceContextC* trace) noexcept nogil:
    cdef uint8_t[B3_BYTES_MOST] text
    cdef TraceContextC again
    memset(&again, 0, sizeof(again))
    if traceparent_write(trace, text) != TRACEPARENT_BYTES or (
            traceparent_read(text, TRACEPARENT_BYTES, &again) != TRACE_FOUND or not follows(trace, &again)):
        abort()
    memset(&again, 0, sizeof(again))
    if b3_read(text, b3_write(trace, text), &again) != TRACE_FOUND or not follows(trace, &again):
        abort()
    if again.short_id != trace.short_id or again.debug != trace.debug:
        abort()


cdef bint follows(const TraceContextC* trace, const TraceContextC* following) noexcept nogil:
    """Whether the next hop is in the same trace, behind this one, with the same decision."""
    return following.sampled == trace.sampled and memcmp(
        following.trace_id, trace.trace_id, TRACE_ID_BYTES) == 0 and memcmp(
        following.parent_id, trace.span_id, SPAN_ID_BYTES) == 0

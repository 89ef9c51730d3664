"""The trace context of a request; the contract stands in tracing.pxd."""

from libc.stdint cimport uint64_t
from libc.string cimport memcmp, memcpy, memset
from mesh_core.http1.grammar cimport SliceC, equals_ignoring_case
from mesh_core.http1.head cimport FIELD_REMOVED, FieldC
from mesh_core.http1.serialize cimport TextC
from mesh_core.routing.fault cimport draw
from mesh_core.snapshot.http_settings cimport PROPAGATE_B3, PROPAGATE_B3_MULTI, PROPAGATE_W3C, TracingC
from mesh_core.telemetry.request_id cimport request_id_number
from mesh_core.telemetry.stats cimport LISTENER_TRACE_MALFORMED, LISTENER_TRACE_STARTED
from mesh_core.telemetry.trace_context cimport (
    SPAN_ID_BYTES, TRACE_FOUND, TRACE_ID_BYTES, TRACE_MALFORMED, B3FieldsC, TraceContextC, TraceVerdict,
    b3_fields_read, b3_read, b3_write, hex_write, traceparent_read, traceparent_write, tracestate_is_sound,
)

cdef enum TraceField:
    TRACEPARENT
    TRACESTATE
    B3
    B3_TRACE_ID
    B3_SPAN_ID
    B3_PARENT_ID
    B3_SAMPLED
    B3_FLAGS
    TRACE_FIELD_COUNT

cdef const char* NAMES[TRACE_FIELD_COUNT]
NAMES[:] = [
    b"traceparent", b"tracestate", b"b3", b"x-b3-traceid", b"x-b3-spanid", b"x-b3-parentspanid", b"x-b3-sampled",
    b"x-b3-flags",
]
cdef uint32_t SIZES[TRACE_FIELD_COUNT]
SIZES[:] = [11, 10, 2, 12, 11, 17, 12, 10]

cdef enum:
    LONGEST = 17
    SIZES_BITS = 1 << 2 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 17


# The fields that tell of it; the last one of each name.
cdef struct FoundC:
    const FieldC* fields[TRACE_FIELD_COUNT]
    uint32_t counts[TRACE_FIELD_COUNT]


cdef int trace_field(const FieldC* field, const uint8_t* data) noexcept nogil:
    """A TraceField, or -1."""
    cdef int index
    # Most fields have a name of another length.
    if field.name.size > LONGEST or not SIZES_BITS >> field.name.size & 1:
        return -1
    for index in range(TRACE_FIELD_COUNT):
        if SIZES[index] == field.name.size and equals_ignoring_case(
                data + field.name.at, <const uint8_t*>NAMES[index], field.name.size):
            return index
    return -1


cdef void trace_begin(StreamC* stream, const HeadC* head, const uint8_t* data) noexcept nogil:
    cdef const TracingC* tracing = stream.http.settings.tracing
    cdef TraceContextC* trace = &stream.trace
    cdef uint64_t* stats = stream.connection.listener.stats[stream.worker.core.index]
    cdef FoundC found
    cdef TraceVerdict verdict
    cdef uint64_t number
    cdef uint32_t index
    trace.came = find(head, data, &found)
    for index in range(tracing.format_count):
        if trace.present or not is_there(tracing.formats[index], &found):
            continue
        verdict = read(tracing.formats[index], &found, data, trace)
        if verdict == TRACE_MALFORMED:
            stats[LISTENER_TRACE_MALFORMED] += 1
    number = request_id_number(&stream.worker.core.request_ids) | 1
    memcpy(trace.span_id, &number, SPAN_ID_BYTES)
    if not trace.present:
        stats[LISTENER_TRACE_STARTED] += 1
        number = request_id_number(&stream.worker.core.request_ids) | 1
        memcpy(trace.trace_id, &number, 8)
        number = request_id_number(&stream.worker.core.request_ids)
        memcpy(trace.trace_id + 8, &number, 8)
        trace.present = True
    if not trace.has_decision:
        trace.sampled = draw(tracing.sampling_ppm, &stream.worker.core.random)
        trace.has_decision = True


cdef bint find(const HeadC* head, const uint8_t* data, FoundC* found) noexcept nogil:
    """Whether there is any."""
    cdef uint32_t index
    cdef int which
    cdef bint some = False
    memset(found, 0, sizeof(FoundC))
    for index in range(head.field_count):
        if head.fields[index].flags & FIELD_REMOVED:
            continue
        which = trace_field(&head.fields[index], data)
        if which >= 0:
            found.fields[which] = &head.fields[index]
            found.counts[which] += 1
            some = True
    return some


cdef bint is_there(int format, const FoundC* found) noexcept nogil:
    if format == PROPAGATE_W3C:
        return found.counts[<int>TRACEPARENT] > 0
    if format == PROPAGATE_B3:
        return found.counts[<int>B3] > 0
    return (found.counts[<int>B3_TRACE_ID] or found.counts[<int>B3_SPAN_ID] or found.counts[<int>B3_SAMPLED]
            or found.counts[<int>B3_FLAGS]) > 0


cdef TraceVerdict read(int format, const FoundC* found, const uint8_t* data, TraceContextC* trace) noexcept nogil:
    cdef B3FieldsC fields
    cdef SliceC value
    cdef int index
    for index in range(TRACE_FIELD_COUNT):
        # Two that say different things say nothing.
        if index != TRACESTATE and found.counts[index] > 1:
            return TRACE_MALFORMED
    if format != PROPAGATE_B3_MULTI:
        value = found.fields[<int>TRACEPARENT if format == PROPAGATE_W3C else <int>B3].value
        if format == PROPAGATE_W3C:
            return traceparent_read(data + value.at, value.size, trace)
        return b3_read(data + value.at, value.size, trace)
    fields.trace_id = value_of(found.fields[<int>B3_TRACE_ID], data, &fields.trace_id_bytes)
    fields.span_id = value_of(found.fields[<int>B3_SPAN_ID], data, &fields.span_id_bytes)
    fields.sampled = value_of(found.fields[<int>B3_SAMPLED], data, &fields.sampled_bytes)
    fields.flags = value_of(found.fields[<int>B3_FLAGS], data, &fields.flags_bytes)
    return b3_fields_read(&fields, trace)


cdef const uint8_t* value_of(const FieldC* field, const uint8_t* data, uint32_t* size) noexcept nogil:
    size[0] = 0
    if field == NULL:
        return NULL
    size[0] = field.value.size
    return data + field.value.at


# --- passing it on ---

cdef void trace_fields_add(
    const StreamC* stream, HeadC* head, const uint8_t* data, AddedFieldC* added, uint32_t* count, uint8_t* room
) noexcept nogil:
    cdef const TracingC* tracing = stream.http.settings.tracing
    cdef const TraceContextC* trace = &stream.trace
    cdef uint8_t* end = room
    cdef uint32_t index
    if trace.came:
        remove_fields(stream, head, data)
    for index in range(tracing.format_count):
        if tracing.formats[index] == PROPAGATE_W3C:
            end += add(added, count, TRACEPARENT, end, traceparent_write(trace, end))
        elif tracing.formats[index] == PROPAGATE_B3:
            end += add(added, count, B3, end, b3_write(trace, end))
        else:
            add_b3_fields(trace, added, count, end)
            end += 2 * TRACE_ID_BYTES + 4 * SPAN_ID_BYTES + 1


cdef size_t add(AddedFieldC* added, uint32_t* count, int which, const uint8_t* text, size_t size) noexcept nogil:
    added[count[0]] = AddedFieldC(TextC(<const uint8_t*>NAMES[which], SIZES[which]), TextC(text, size))
    count[0] += 1
    return size


cdef void add_b3_fields(const TraceContextC* trace, AddedFieldC* added, uint32_t* count, uint8_t* room) noexcept nogil:
    cdef size_t skipped = SPAN_ID_BYTES if trace.short_id else 0
    room += add(added, count, B3_TRACE_ID, room, hex_write(trace.trace_id + skipped, TRACE_ID_BYTES - skipped, room))
    room += add(added, count, B3_SPAN_ID, room, hex_write(trace.span_id, SPAN_ID_BYTES, room))
    if memcmp(trace.parent_id, b"\0\0\0\0\0\0\0\0", SPAN_ID_BYTES) != 0:
        room += add(added, count, B3_PARENT_ID, room, hex_write(trace.parent_id, SPAN_ID_BYTES, room))
    room[0] = c"1" if trace.sampled else c"0"
    # B3 says either that it is sampled or that it is debugged.
    add(added, count, B3_FLAGS if trace.debug else B3_SAMPLED, room, 1)


cdef void remove_fields(const StreamC* stream, HeadC* head, const uint8_t* data) noexcept nogil:
    """Those that are written anew, and a tracestate that belongs to no context that goes on."""
    cdef const TracingC* tracing = stream.http.settings.tracing
    cdef bint[3] written
    cdef bint keeps_state = state_goes_on(stream, head, data)
    cdef uint32_t index
    cdef int which
    memset(written, 0, sizeof(written))
    for index in range(tracing.format_count):
        written[tracing.formats[index]] = True
    for index in range(head.field_count):
        which = trace_field(&head.fields[index], data)
        if which < 0:
            continue
        if which == TRACESTATE:
            if written[<int>PROPAGATE_W3C] and not keeps_state:
                head.fields[index].flags |= FIELD_REMOVED
        elif written[format_of(which)]:
            head.fields[index].flags |= FIELD_REMOVED


cdef int format_of(int which) noexcept nogil:
    if which == TRACEPARENT:
        return PROPAGATE_W3C
    return PROPAGATE_B3 if which == B3 else PROPAGATE_B3_MULTI


cdef bint state_goes_on(const StreamC* stream, const HeadC* head, const uint8_t* data) noexcept nogil:
    """Whether the context came by traceparent, and its tracestate is one."""
    cdef FoundC found
    cdef TraceContextC came
    cdef const FieldC* field
    cdef uint32_t index, members = 0
    find(head, data, &found)
    if found.counts[<int>TRACESTATE] == 0 or found.counts[<int>TRACEPARENT] != 1:
        return False
    memset(&came, 0, sizeof(TraceContextC))
    if read(PROPAGATE_W3C, &found, data, &came) != TRACE_FOUND or (
            memcmp(came.trace_id, stream.trace.trace_id, TRACE_ID_BYTES) != 0):
        return False
    for index in range(head.field_count):
        field = &head.fields[index]
        if trace_field(field, data) == TRACESTATE and not tracestate_is_sound(
                data + field.value.at, field.value.size, &members):
            stream.connection.listener.stats[stream.worker.core.index][LISTENER_TRACE_MALFORMED] += 1
            return False
    return True

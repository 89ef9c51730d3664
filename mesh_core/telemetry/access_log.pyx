"""Access records as JSON lines, one for each connection, with the field names of Envoy's access log."""

from libc.stdint cimport uint8_t
from libc.stdio cimport snprintf
from libc.string cimport memcpy, strlen
from libc.time cimport gmtime_r, time_t, tm
from mesh_core.includes.linux cimport strerror
from mesh_core.net.address cimport ADDRESS_TEXT_BYTES, address_format
from mesh_core.runtime.memory cimport memory_alloc, memory_free
from mesh_core.runtime.ring cimport ring_consume, ring_peek
from mesh_core.telemetry.response_flags cimport FLAG_COUNT, detail_text, flag_name

cdef enum:
    # A line's numbers, keys and addresses, and three texts of which every byte may become six (\u00XX).
    LINE_LIMIT = 2048 + 3 * 6 * ACCESS_TEXT_LIMIT
    BATCH_BYTES = 1 << 18


cdef struct TextC:
    char* data
    size_t size


cdef inline void put(TextC* out, const char* text) noexcept nogil:
    cdef size_t size = strlen(text)
    memcpy(out.data + out.size, text, size)
    out.size += size


cdef void put_number(TextC* out, int64_t value) noexcept nogil:
    out.size += snprintf(out.data + out.size, 24, b"%lld", <long long>value)


cdef void put_string(TextC* out, const uint8_t* text, size_t size) noexcept nogil:
    """A JSON string in quotes (RFC 8259, section 7). Names are UTF-8, as the configuration was."""
    cdef size_t index
    cdef uint8_t byte
    out.data[out.size] = c'"'
    out.size += 1
    for index in range(size):
        byte = text[index]
        if byte < 0x20 or byte == 0x7F or byte == c'"' or byte == c"\\":
            out.size += snprintf(out.data + out.size, 8, b"\\u%04x", <unsigned int>byte)
        else:
            out.data[out.size] = <char>byte
            out.size += 1
    out.data[out.size] = c'"'
    out.size += 1


cdef void put_text_or_null(TextC* out, const char* key, const uint8_t* text, size_t size) noexcept nogil:
    put(out, key)
    if size:
        put_string(out, text, size)
    else:
        put(out, b"null")


cdef void put_address(TextC* out, const char* key, const PeerAddressC* address) noexcept nogil:
    cdef char text[ADDRESS_TEXT_BYTES]
    cdef int size = address_format(address, text) if address.family else 0
    put_text_or_null(out, key, <const uint8_t*>text, size)


cdef void put_time(TextC* out, int64_t us) noexcept nogil:
    """RFC 3339 in UTC with milliseconds, as Envoy's %START_TIME%."""
    cdef time_t seconds = us // 1000000
    cdef tm parts
    gmtime_r(&seconds, &parts)
    out.size += snprintf(
        out.data + out.size, 32, b"\"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ\"",
        (parts.tm_year + 1900) % 10000, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
        <int>(us // 1000 % 1000),
    )


cdef void put_flags(TextC* out, uint32_t flags) noexcept nogil:
    cdef int index
    cdef bint first = True
    put(out, b",\"response_flags\":\"")
    for index in range(FLAG_COUNT):
        if flags >> index & 1:
            if not first:
                put(out, b",")
            put(out, flag_name(index))
            first = False
    put(out, b"-\"" if first else b"\"")


cdef void put_record(TextC* out, const AccessRecordC* record) noexcept nogil:
    """Append one line; there is room for LINE_LIMIT bytes."""
    cdef const uint8_t* names = <const uint8_t*>(record + 1)
    cdef const char* detail = detail_text(record.detail)
    cdef const char* error = strerror(record.error)
    cdef size_t error_size = strlen(error) if record.error else 0
    put(out, b"{\"start_time\":")
    put_time(out, record.start_time_us)
    put(out, b",\"connection_id\":")
    put_number(out, record.connection_id)
    put(out, b",\"duration\":")
    put_number(out, record.duration_us // 1000)
    put(out, b",\"bytes_received\":")
    put_number(out, record.bytes_received)
    put(out, b",\"bytes_sent\":")
    put_number(out, record.bytes_sent)
    put_flags(out, record.flags)
    put_text_or_null(out, b",\"connection_termination_details\":", <const uint8_t*>detail, strlen(detail))
    put_text_or_null(out, b",\"listener\":", names, record.listener_size)
    put_address(out, b",\"downstream_remote_address\":", &record.downstream_remote)
    put_address(out, b",\"downstream_local_address\":", &record.downstream_local)
    put_text_or_null(out, b",\"upstream_cluster\":", names + record.listener_size, record.cluster_size)
    put_text_or_null(out, b",\"upstream_host\":", names + record.listener_size + record.cluster_size,
                     record.endpoint_size)
    put_address(out, b",\"upstream_local_address\":", &record.upstream_local)
    put(out, b",\"upstream_connect_time\":")
    if record.connect_time_us < 0:
        put(out, b"null")
    else:
        put_number(out, record.connect_time_us // 1000)
    put_text_or_null(out, b",\"upstream_transport_failure_reason\":", <const uint8_t*>error, error_size)
    put(out, b"}\n")


cdef bytes collect_access_log(RingC* ring):
    cdef TextC out
    cdef uint32_t size
    cdef const void* record
    out.data = <char*>memory_alloc(BATCH_BYTES)
    out.size = 0
    if out.data == NULL:
        raise MemoryError()
    try:
        with nogil:
            while out.size + LINE_LIMIT <= BATCH_BYTES:
                record = ring_peek(ring, &size)
                if record == NULL:
                    break
                put_record(&out, <const AccessRecordC*>record)
                ring_consume(ring)
        return out.data[:out.size]
    finally:
        memory_free(out.data)

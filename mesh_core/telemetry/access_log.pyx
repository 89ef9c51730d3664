"""Access records as JSON lines, one for each connection, with the field names of Envoy's access log."""

from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.stdio cimport snprintf
from libc.string cimport memcpy, strlen
from libc.time cimport gmtime_r, time_t, tm
from mesh_core.includes.linux cimport strerror
from mesh_core.net.address cimport ADDRESS_TEXT_BYTES, PeerAddressC, address_format
from mesh_core.runtime.memory cimport memory_alloc, memory_free
from mesh_core.runtime.ring cimport RingC, ring_consume, ring_peek
from mesh_core.telemetry.access_record cimport (
    ACCESS_TEXT_LIMIT, TEXT_CLUSTER, TEXT_COUNT, TEXT_ENDPOINT, TEXT_LISTENER, TEXT_UPSTREAM_FAILURE, AccessRecordC,
)
from mesh_core.telemetry.response_flags cimport FLAG_COUNT, detail_text, flag_name

cdef enum:
    # A line's numbers, keys and addresses, and texts of which every byte may become six (\u00XX).
    LINE_LIMIT = 2048 + TEXT_COUNT * 6 * ACCESS_TEXT_LIMIT
    BATCH_BYTES = 1 << 18


# Envoy's command operators %DOWNSTREAM_TLS_VERSION% and so on, but for the identities.
cdef const char* TEXT_KEYS[TEXT_COUNT]
TEXT_KEYS[:] = [
    b",\"listener\":", b",\"upstream_cluster\":", b",\"upstream_host\":", b",\"requested_server_name\":",
    b",\"downstream_tls_version\":", b",\"downstream_tls_cipher\":", b",\"downstream_peer_identity\":",
    b",\"downstream_transport_failure_reason\":", b",\"upstream_tls_version\":", b",\"upstream_tls_cipher\":",
    b",\"upstream_peer_identity\":", b",\"upstream_transport_failure_reason\":",
]


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


cdef const uint8_t* put_next_text(
    TextC* out, const uint8_t* text, const AccessRecordC* record, int which
) noexcept nogil:
    """Put a text, or null; the text behind it."""
    put_text_or_null(out, TEXT_KEYS[which], text, record.text_sizes[which])
    return text + record.text_sizes[which]


cdef void put_record(TextC* out, const AccessRecordC* record) noexcept nogil:
    """Append one line; there is room for LINE_LIMIT bytes."""
    cdef const uint8_t* texts = <const uint8_t*>(record + 1)
    cdef const char* detail = detail_text(record.detail)
    cdef const char* error = strerror(record.error)
    cdef size_t error_size = strlen(error) if record.error else 0
    cdef int text
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
    texts = put_next_text(out, texts, record, TEXT_LISTENER)
    put_address(out, b",\"downstream_remote_address\":", &record.downstream_remote)
    put_address(out, b",\"downstream_local_address\":", &record.downstream_local)
    texts = put_next_text(out, texts, record, TEXT_CLUSTER)
    texts = put_next_text(out, texts, record, TEXT_ENDPOINT)
    put_address(out, b",\"upstream_local_address\":", &record.upstream_local)
    put(out, b",\"upstream_request_attempt_count\":")
    put_number(out, record.attempts)
    put(out, b",\"upstream_connect_time\":")
    if record.connect_time_us < 0:
        put(out, b"null")
    else:
        put_number(out, record.connect_time_us // 1000)
    if not record.text_sizes[<int>TEXT_UPSTREAM_FAILURE]:
        put_text_or_null(out, b",\"upstream_transport_failure_reason\":", <const uint8_t*>error, error_size)
    for text in range(<int>TEXT_ENDPOINT + 1, <int>TEXT_COUNT):
        if record.text_sizes[text]:
            texts = put_next_text(out, texts, record, text)
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

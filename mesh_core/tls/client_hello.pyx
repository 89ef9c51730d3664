"""ClientHello inspection; the contract stands in client_hello.pxd."""

from libc.stdint cimport uint32_t
from libc.stdlib cimport abort
from libc.string cimport memcmp, memcpy, memset
from mesh_core.includes.socket cimport AF_INET, AF_INET6, in6_addr, inet_pton
from mesh_core.tls.host_name cimport host_name_is_valid

cdef enum:
    RECORD_HEADER = 5
    RECORD_LIMIT = 16384          # RFC 8446, section 5.1
    RECORD_HANDSHAKE = 22
    MAJOR_VERSION = 3
    MESSAGE_HEADER = 4
    MESSAGE_CLIENT_HELLO = 1
    TLS_1_2 = 0x0303
    TLS_1_3 = 0x0304
    EXTENSION_SERVER_NAME = 0
    EXTENSION_ALPN = 16
    EXTENSION_SUPPORTED_VERSIONS = 43
    NAME_TYPE_HOST = 0


# What is left of a vector or of the message.
cdef struct ReaderC:
    const uint8_t* at
    const uint8_t* end


cdef int client_hello_parse(const uint8_t* data, size_t size, ClientHelloC* out) noexcept nogil:
    cdef size_t message_bytes = 0
    cdef int verdict
    memset(out, 0, sizeof(ClientHelloC))
    verdict = find_message(data, size, &message_bytes, &out.wire_bytes)
    if verdict != CLIENT_HELLO_COMPLETE:
        return verdict
    if out.wire_bytes == message_bytes + RECORD_HEADER:
        return parse_message(data + RECORD_HEADER, message_bytes, out)
    return parse_fragmented(data, message_bytes, out)


# --- records ---

cdef int find_message(const uint8_t* data, size_t size, size_t* message_bytes, size_t* wire_bytes) noexcept nogil:
    """Walk the records up to the end of the first handshake message; its length without and with their headers."""
    cdef uint8_t[MESSAGE_HEADER] header
    cdef size_t at = 0, gathered = 0, message = 0, record_bytes, available, index
    cdef int record, verdict
    for record in range(CLIENT_HELLO_RECORD_LIMIT):
        verdict = judge_record(data + at, size - at, record == 0)
        if verdict != CLIENT_HELLO_COMPLETE:
            return verdict
        record_bytes = (<size_t>data[at + 3] << 8) | data[at + 4]
        at += RECORD_HEADER
        available = min(record_bytes, size - at)
        for index in range(gathered, min(<size_t>MESSAGE_HEADER, gathered + available)):
            header[index] = data[at + index - gathered]
        if gathered + available and header[0] != MESSAGE_CLIENT_HELLO:
            return CLIENT_HELLO_MALFORMED
        if gathered + available >= MESSAGE_HEADER:
            message = MESSAGE_HEADER + ((<size_t>header[1] << 16) | (<size_t>header[2] << 8) | header[3])
            if message > CLIENT_HELLO_LIMIT:
                return CLIENT_HELLO_OVERSIZED
            if gathered + record_bytes > message:
                # Nothing may follow a hello in its record: keys may change behind it (RFC 8446, section 5.1).
                return CLIENT_HELLO_MALFORMED
        if available < record_bytes:
            return CLIENT_HELLO_INCOMPLETE
        gathered += record_bytes
        at += record_bytes
        if gathered == message:
            message_bytes[0] = message
            wire_bytes[0] = at
            return CLIENT_HELLO_COMPLETE
    return CLIENT_HELLO_OVERSIZED


cdef int judge_record(const uint8_t* header, size_t available, bint first) noexcept nogil:
    """A record's header: complete and right, incomplete, or a fault."""
    cdef int foreign = CLIENT_HELLO_NOT_TLS if first else CLIENT_HELLO_MALFORMED
    cdef size_t record_bytes
    if available >= 1 and header[0] != RECORD_HANDSHAKE:
        return foreign
    if available >= 2 and header[1] != MAJOR_VERSION:
        return foreign
    if available < RECORD_HEADER:
        return CLIENT_HELLO_INCOMPLETE
    record_bytes = (<size_t>header[3] << 8) | header[4]
    if record_bytes == 0 or record_bytes > RECORD_LIMIT:
        return CLIENT_HELLO_MALFORMED
    return CLIENT_HELLO_COMPLETE


cdef int parse_fragmented(const uint8_t* data, size_t message_bytes, ClientHelloC* out) noexcept nogil:
    """Put the message together from records that find_message has judged, and parse it."""
    cdef uint8_t[CLIENT_HELLO_LIMIT] message
    cdef size_t gathered = 0, record_bytes
    while gathered < message_bytes:
        record_bytes = (<size_t>data[3] << 8) | data[4]
        memcpy(message + gathered, data + RECORD_HEADER, record_bytes)
        gathered += record_bytes
        data += RECORD_HEADER + record_bytes
    return parse_message(message, message_bytes, out)


# --- the message ---

cdef inline size_t left(const ReaderC* reader) noexcept nogil:
    return reader.end - reader.at


cdef inline bint read_number(ReaderC* reader, size_t size, uint32_t* value) noexcept nogil:
    """A big-endian number of `size` bytes; false when they are not there."""
    cdef size_t index
    if left(reader) < size:
        return False
    value[0] = 0
    for index in range(size):
        value[0] = (value[0] << 8) | reader.at[index]
    reader.at += size
    return True


cdef inline bint read_vector(ReaderC* reader, size_t length_size, size_t least, ReaderC* vector) noexcept nogil:
    """A vector behind a length of `length_size` bytes; false when it is not all there or shorter than `least`."""
    cdef uint32_t length
    if not read_number(reader, length_size, &length) or left(reader) < length or length < least:
        return False
    vector.at = reader.at
    vector.end = reader.at + length
    reader.at = vector.end
    return True


cdef int parse_message(const uint8_t* message, size_t size, ClientHelloC* out) noexcept nogil:
    cdef ReaderC reader, session_id, cipher_suites, compression, extensions
    cdef uint32_t version
    reader.at = message + MESSAGE_HEADER
    reader.end = message + size
    if not read_number(&reader, 2, &version) or version >> 8 != MAJOR_VERSION or left(&reader) < 32:
        return CLIENT_HELLO_MALFORMED
    reader.at += 32
    if not (read_vector(&reader, 1, 0, &session_id) and left(&session_id) <= 32
            and read_vector(&reader, 2, 2, &cipher_suites) and left(&cipher_suites) & 1 == 0
            and read_vector(&reader, 1, 1, &compression)):
        return CLIENT_HELLO_MALFORMED
    out.legacy_version = <uint16_t>version
    # In force unless supported_versions says otherwise; 1.3 is offered by that extension only.
    out.highest_version = min(out.legacy_version, <uint16_t>TLS_1_2)
    if left(&reader) == 0:
        return CLIENT_HELLO_COMPLETE     # until TLS 1.2 a hello may end here
    if not read_vector(&reader, 2, 0, &extensions) or left(&reader):
        return CLIENT_HELLO_MALFORMED
    return parse_extensions(&extensions, out)


cdef int parse_extensions(ReaderC* reader, ClientHelloC* out) noexcept nogil:
    cdef uint8_t[8192] seen              # a bit for each type: none may come twice (RFC 8446, section 4.2)
    cdef ReaderC content
    cdef uint32_t kind
    cdef int verdict = CLIENT_HELLO_COMPLETE
    memset(seen, 0, sizeof(seen))
    while left(reader) and verdict == CLIENT_HELLO_COMPLETE:
        if not read_number(reader, 2, &kind) or not read_vector(reader, 2, 0, &content):
            return CLIENT_HELLO_MALFORMED
        if seen[kind >> 3] & (1 << (kind & 7)):
            return CLIENT_HELLO_MALFORMED
        seen[kind >> 3] |= <uint8_t>(1 << (kind & 7))
        if kind == EXTENSION_SERVER_NAME:
            verdict = parse_server_name(&content, out)
        elif kind == EXTENSION_ALPN:
            verdict = parse_alpn(&content, out)
        elif kind == EXTENSION_SUPPORTED_VERSIONS:
            verdict = parse_supported_versions(&content, out)
    return verdict


cdef int parse_supported_versions(ReaderC* reader, ClientHelloC* out) noexcept nogil:
    cdef ReaderC versions
    cdef uint32_t version = 0, highest = 0
    if not read_vector(reader, 1, 2, &versions) or left(reader) or left(&versions) & 1:
        return CLIENT_HELLO_MALFORMED
    while read_number(&versions, 2, &version):
        # GREASE and the drafts of 1.3 have other first bytes.
        if version >> 8 == MAJOR_VERSION and version <= TLS_1_3:
            highest = max(highest, version)
    out.highest_version = <uint16_t>highest
    return CLIENT_HELLO_COMPLETE


cdef int parse_alpn(ReaderC* reader, ClientHelloC* out) noexcept nogil:
    cdef ReaderC protocols, protocol
    cdef size_t size
    if not read_vector(reader, 2, 2, &protocols) or left(reader):
        return CLIENT_HELLO_MALFORMED
    while left(&protocols):
        if not read_vector(&protocols, 1, 1, &protocol):
            return CLIENT_HELLO_MALFORMED
        size = left(&protocol)
        if size == 2 and protocol.at[0] == protocol.at[1] and protocol.at[0] & 0x0F == 0x0A:
            continue                     # GREASE
        if out.alpn_bytes + 1 + size > CLIENT_HELLO_ALPN_BYTES:
            return CLIENT_HELLO_OVERSIZED
        memcpy(out.alpn + out.alpn_bytes, protocol.at - 1, size + 1)
        out.alpn_bytes += <uint16_t>(size + 1)
    return CLIENT_HELLO_COMPLETE


# --- the server's name ---

cdef int parse_server_name(ReaderC* reader, ClientHelloC* out) noexcept nogil:
    cdef ReaderC names, name
    cdef uint32_t name_type
    cdef bint seen = False
    if not read_vector(reader, 2, 1, &names) or left(reader):
        return CLIENT_HELLO_MALFORMED
    while left(&names):
        # Any other type, should one come, has a length of two bytes as well (RFC 6066, section 3).
        if not read_number(&names, 1, &name_type) or not read_vector(&names, 2, 1, &name):
            return CLIENT_HELLO_MALFORMED
        if name_type != NAME_TYPE_HOST:
            continue
        if seen or not keep_server_name(name.at, left(&name), out):
            return CLIENT_HELLO_MALFORMED
        seen = True
    return CLIENT_HELLO_COMPLETE


cdef bint keep_server_name(const uint8_t* name, size_t size, ClientHelloC* out) noexcept nogil:
    """Copy a host name in lower case, or nothing of an IP address; false when it is neither."""
    cdef in6_addr address
    cdef size_t index
    if size >= CLIENT_HELLO_NAME_BYTES:
        return False
    for index in range(size):
        if name[index] <= 0x20 or name[index] >= 0x7F:
            return False
        out.server_name[index] = <char>(name[index] | 0x20 if c"A" <= name[index] <= c"Z" else name[index])
    out.server_name[size] = 0
    if inet_pton(AF_INET, out.server_name, &address) == 1 or inet_pton(AF_INET6, out.server_name, &address) == 1:
        memset(out.server_name, 0, size)
        return True
    out.server_name_bytes = <uint16_t>size
    return host_name_is_valid(out.server_name, size)


# --- fuzzing ---

cdef int fuzz_client_hello(const uint8_t* data, size_t size) noexcept nogil:
    cdef ClientHelloC whole, part
    cdef int verdict = client_hello_parse(data, size, &whole)
    cdef int cut_verdict
    cdef size_t cut
    if verdict == CLIENT_HELLO_INCOMPLETE and size >= CLIENT_HELLO_WIRE_LIMIT:
        abort()
    for cut in range(min(size, <size_t>CLIENT_HELLO_WIRE_LIMIT)):
        cut_verdict = client_hello_parse(data, cut, &part)
        if cut_verdict != CLIENT_HELLO_INCOMPLETE and cut_verdict != verdict:
            abort()
        if verdict == CLIENT_HELLO_COMPLETE and (cut >= whole.wire_bytes) != (cut_verdict == CLIENT_HELLO_COMPLETE):
            abort()
    if verdict == CLIENT_HELLO_COMPLETE:
        if whole.wire_bytes > min(size, <size_t>CLIENT_HELLO_WIRE_LIMIT):
            abort()
        check_fields(&whole)
        check_other_records(data, &whole)
    return 0


cdef void check_fields(const ClientHelloC* hello) noexcept nogil:
    cdef size_t at = 0
    if hello.server_name_bytes >= CLIENT_HELLO_NAME_BYTES or hello.server_name[hello.server_name_bytes]:
        abort()
    if hello.server_name_bytes and not host_name_is_valid(hello.server_name, hello.server_name_bytes):
        abort()
    while at < hello.alpn_bytes:
        if hello.alpn[at] == 0:
            abort()
        at += 1 + hello.alpn[at]
    if at != hello.alpn_bytes or hello.highest_version > TLS_1_3:
        abort()


cdef void check_other_records(const uint8_t* data, const ClientHelloC* expected) noexcept nogil:
    """The same message in as many records as are allowed must say the same."""
    cdef uint8_t[CLIENT_HELLO_LIMIT] message
    cdef uint8_t[CLIENT_HELLO_WIRE_LIMIT] wire
    cdef ClientHelloC found
    cdef size_t at = 0, total = 0, used = 0, step, piece
    while at < expected.wire_bytes:
        piece = (<size_t>data[at + 3] << 8) | data[at + 4]
        memcpy(message + total, data + at + RECORD_HEADER, piece)
        total += piece
        at += RECORD_HEADER + piece
    step = (total + CLIENT_HELLO_RECORD_LIMIT - 1) // CLIENT_HELLO_RECORD_LIMIT
    at = 0
    while at < total:
        piece = min(step, total - at)
        memcpy(wire + used, data, 3)
        wire[used + 3] = <uint8_t>(piece >> 8)
        wire[used + 4] = <uint8_t>piece
        memcpy(wire + used + RECORD_HEADER, message + at, piece)
        used += RECORD_HEADER + piece
        at += piece
    if client_hello_parse(wire, used, &found) != CLIENT_HELLO_COMPLETE or found.wire_bytes != used:
        abort()
    found.wire_bytes = expected.wire_bytes
    if memcmp(&found, expected, sizeof(ClientHelloC)) != 0:
        abort()

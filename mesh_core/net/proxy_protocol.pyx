"""The PROXY protocol, versions 1 and 2; the contract stands in proxy_protocol.pxd."""

from libc.stdint cimport uint16_t, uint32_t
from libc.stdio cimport snprintf
from libc.stdlib cimport abort
from libc.string cimport memchr, memcmp, memcpy, memset
from mesh_core.includes.socket cimport (
    AF_INET, AF_INET6, AF_UNIX, INET6_ADDRSTRLEN, htons, inet_ntop, inet_pton, ntohs,
)

cdef const uint8_t* V2_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"

cdef enum:
    V2_SIGNATURE_BYTES = 12
    TLV_CRC32C = 0x03
    WORDS = 5                  # of a version 1 line behind "PROXY": protocol, two addresses, two ports


cdef int proxy_protocol_parse(const uint8_t* data, size_t size, ProxyHeaderC* header) noexcept nogil:
    memset(header, 0, sizeof(ProxyHeaderC))
    if size and data[0] == c"P":
        return parse_v1(data, size, header)
    if memcmp(data, V2_SIGNATURE, min(size, <size_t>V2_SIGNATURE_BYTES)) != 0:
        return PROXY_BAD_SIGNATURE
    if size < PROXY_V2_FIXED:
        # Version, command and family are judged as soon as they are there, whatever comes after.
        return PROXY_INCOMPLETE if size <= V2_SIGNATURE_BYTES else v2_fixed_fault(data, size)
    return parse_v2(data, size, header)


# --- version 1: one line of text ---

cdef int parse_v1(const uint8_t* data, size_t size, ProxyHeaderC* header) noexcept nogil:
    cdef const uint8_t* newline
    cdef size_t length
    if memcmp(data, b"PROXY ", min(size, <size_t>6)) != 0:
        return PROXY_BAD_SIGNATURE
    newline = <const uint8_t*>memchr(data, c"\n", min(size, <size_t>PROXY_V1_LIMIT))
    if newline == NULL:
        return PROXY_INCOMPLETE if size < PROXY_V1_LIMIT else PROXY_BAD_LINE
    length = newline - data + 1
    if length < 8 or (newline - 1)[0] != c"\r":
        return PROXY_BAD_LINE
    header.version = 1
    return parse_v1_words(data + 6, length - 8, <int>length, header)


cdef int parse_v1_words(const uint8_t* text, size_t size, int length, ProxyHeaderC* header) noexcept nogil:
    """Read what stands between "PROXY " and the line's end; returns `length` or a fault."""
    cdef char words[WORDS][INET6_ADDRSTRLEN]
    cdef int count = split_words(text, size, words)
    cdef int source_port, destination_port
    if size >= 7 and memcmp(text, b"UNKNOWN", 7) == 0 and (size == 7 or text[7] == c" "):
        return length              # section 2.1: the rest of the line is to be ignored
    if count != WORDS:
        return PROXY_BAD_LINE
    source_port = parse_port(words[3])
    destination_port = parse_port(words[4])
    if source_port < 0 or destination_port < 0:
        return PROXY_BAD_ADDRESS
    if memcmp(words[0], b"TCP4", 5) == 0:
        header.source.v4.sin_family = header.destination.v4.sin_family = AF_INET
        header.source.v4.sin_port = htons(<uint16_t>source_port)
        header.destination.v4.sin_port = htons(<uint16_t>destination_port)
        if (inet_pton(AF_INET, words[1], &header.source.v4.sin_addr) != 1
                or inet_pton(AF_INET, words[2], &header.destination.v4.sin_addr) != 1):
            return PROXY_BAD_ADDRESS
        return length
    if memcmp(words[0], b"TCP6", 5) == 0:
        header.source.v6.sin6_family = header.destination.v6.sin6_family = AF_INET6
        header.source.v6.sin6_port = htons(<uint16_t>source_port)
        header.destination.v6.sin6_port = htons(<uint16_t>destination_port)
        if (inet_pton(AF_INET6, words[1], &header.source.v6.sin6_addr) != 1
                or inet_pton(AF_INET6, words[2], &header.destination.v6.sin6_addr) != 1):
            return PROXY_BAD_ADDRESS
        return length
    return PROXY_BAD_FAMILY


cdef int split_words(const uint8_t* text, size_t size, char[WORDS][INET6_ADDRSTRLEN] words) noexcept nogil:
    """Copy words parted by exactly one space, each NUL-terminated; their number, or -1 when it cannot be so."""
    cdef size_t index, used = 0
    cdef int count = 0
    for index in range(size):
        if text[index] == c" ":
            if used == 0 or count == WORDS - 1:
                return -1
            words[count][used] = 0
            count += 1
            used = 0
        elif used == INET6_ADDRSTRLEN - 1 or text[index] <= 0x20 or text[index] >= 0x7F:
            return -1
        else:
            words[count][used] = <char>text[index]
            used += 1
    if used == 0:
        return -1
    words[count][used] = 0
    return count + 1


cdef int parse_port(const char* text) noexcept nogil:
    """0 to 65535 without leading zeros, or -1."""
    cdef int value = 0
    cdef int index = 0
    if text[0] == c"0" and text[1] != 0:
        return -1
    while text[index]:
        if text[index] < c"0" or text[index] > c"9" or index == 5:
            return -1
        value = value * 10 + (text[index] - c"0")
        index += 1
    return value if index and value <= 65535 else -1


# --- version 2: binary ---

cdef int v2_fixed_fault(const uint8_t* data, size_t size) noexcept nogil:
    """The fault of the bytes behind the signature as far as they are there, or PROXY_INCOMPLETE.

    LOCAL is told by its command alone: the receiver ignores the family and discards what follows (section 2.2).
    """
    if data[12] >> 4 != 2:
        return PROXY_BAD_VERSION
    if data[12] & 0x0F > 1:
        return PROXY_BAD_COMMAND
    if size > 13 and data[12] & 0x0F and data[13] not in (0x00, 0x11, 0x12, 0x21, 0x22, 0x31, 0x32):
        return PROXY_BAD_FAMILY
    return PROXY_INCOMPLETE


cdef int parse_v2(const uint8_t* data, size_t size, ProxyHeaderC* header) noexcept nogil:
    cdef size_t payload = (<size_t>data[14] << 8) | data[15]
    cdef size_t length = PROXY_V2_FIXED + payload
    cdef size_t addresses = 0
    cdef const uint8_t* at = data + PROXY_V2_FIXED
    cdef bint local = data[12] & 0x0F == 0
    cdef int family = 0 if local else data[13] >> 4
    cdef int fault = v2_fixed_fault(data, size)
    if fault:
        return fault
    if family == 1:
        addresses = 12
    elif family == 2:
        addresses = 36
    elif family == 3:
        addresses = 216
    if length > PROXY_V2_LIMIT or payload < addresses:
        return PROXY_BAD_LENGTH
    if size < length:
        return PROXY_INCOMPLETE
    fault = check_tlvs(data, PROXY_V2_FIXED + addresses, length) if family else 0
    if fault:
        return fault
    header.version = 2
    header.local = local
    if family == 1:
        header.source.v4.sin_family = header.destination.v4.sin_family = AF_INET
        memcpy(&header.source.v4.sin_addr, at, 4)
        memcpy(&header.destination.v4.sin_addr, at + 4, 4)
        memcpy(&header.source.v4.sin_port, at + 8, 2)
        memcpy(&header.destination.v4.sin_port, at + 10, 2)
    elif family == 2:
        header.source.v6.sin6_family = header.destination.v6.sin6_family = AF_INET6
        memcpy(&header.source.v6.sin6_addr, at, 16)
        memcpy(&header.destination.v6.sin6_addr, at + 16, 16)
        memcpy(&header.source.v6.sin6_port, at + 32, 2)
        memcpy(&header.destination.v6.sin6_port, at + 34, 2)
    elif family == 3:
        header.source.family = header.destination.family = AF_UNIX
    return <int>length


cdef int check_tlvs(const uint8_t* data, size_t at, size_t length) noexcept nogil:
    """Walk the type-length-value fields; each must fit, and a checksum must be right (section 2.2.3)."""
    cdef size_t value_bytes
    cdef uint32_t expected
    while at < length:
        if length - at < 3:
            return PROXY_BAD_TLV
        value_bytes = (<size_t>data[at + 1] << 8) | data[at + 2]
        if length - at - 3 < value_bytes:
            return PROXY_BAD_TLV
        if data[at] == TLV_CRC32C:
            if value_bytes != 4:
                return PROXY_BAD_TLV
            expected = ((<uint32_t>data[at + 3] << 24) | (<uint32_t>data[at + 4] << 16)
                        | (<uint32_t>data[at + 5] << 8) | data[at + 6])
            if crc32c_with_hole(data, length, at + 3) != expected:
                return PROXY_BAD_CHECKSUM
        at += 3 + value_bytes
    return 0


cdef uint32_t crc32c_with_hole(const uint8_t* data, size_t length, size_t hole) noexcept nogil:
    """CRC-32C (RFC 3720, appendix B.4) with the 4 bytes at `hole` taken as zero. Rare, so bit by bit."""
    cdef uint32_t crc = ~<uint32_t>0
    cdef uint32_t polynomial = 0x82F63B78
    cdef size_t index
    cdef int _bit
    for index in range(length):
        if not (hole <= index < hole + 4):
            crc ^= data[index]
        for _bit in range(8):
            crc = (crc >> 1) ^ (polynomial & -(crc & 1))
    return ~crc


# --- writing ---

cdef int proxy_protocol_write(
    uint8_t* out, int version, const PeerAddressC* source, const PeerAddressC* destination
) noexcept nogil:
    cdef bint known = source.family == destination.family and (source.family == AF_INET or source.family == AF_INET6)
    return write_v1(out, known, source, destination) if version == 1 else write_v2(out, known, source, destination)


cdef int write_v1(uint8_t* out, bint known, const PeerAddressC* source, const PeerAddressC* destination) noexcept nogil:
    cdef char from_text[INET6_ADDRSTRLEN]
    cdef char to_text[INET6_ADDRSTRLEN]
    cdef bint v6 = source.family == AF_INET6
    if not known:
        return snprintf(<char*>out, PROXY_WRITE_LIMIT, b"PROXY UNKNOWN\r\n")
    if v6:
        inet_ntop(AF_INET6, &source.v6.sin6_addr, from_text, sizeof(from_text))
        inet_ntop(AF_INET6, &destination.v6.sin6_addr, to_text, sizeof(to_text))
    else:
        inet_ntop(AF_INET, &source.v4.sin_addr, from_text, sizeof(from_text))
        inet_ntop(AF_INET, &destination.v4.sin_addr, to_text, sizeof(to_text))
    # sin_port and sin6_port share their place.
    return snprintf(<char*>out, PROXY_WRITE_LIMIT, b"PROXY TCP%c %s %s %u %u\r\n",
                    <int>(c"6" if v6 else c"4"), from_text, to_text,
                    <unsigned int>ntohs(source.v4.sin_port), <unsigned int>ntohs(destination.v4.sin_port))


cdef int write_v2(uint8_t* out, bint known, const PeerAddressC* source, const PeerAddressC* destination) noexcept nogil:
    cdef uint8_t* at = out + PROXY_V2_FIXED
    cdef bint v6 = source.family == AF_INET6
    memcpy(out, V2_SIGNATURE, V2_SIGNATURE_BYTES)
    out[12] = 0x21 if known else 0x20
    out[13] = (0x21 if v6 else 0x11) if known else 0
    out[14] = 0
    out[15] = (36 if v6 else 12) if known else 0
    if not known:
        return PROXY_V2_FIXED
    if v6:
        memcpy(at, &source.v6.sin6_addr, 16)
        memcpy(at + 16, &destination.v6.sin6_addr, 16)
        memcpy(at + 32, &source.v6.sin6_port, 2)
        memcpy(at + 34, &destination.v6.sin6_port, 2)
    else:
        memcpy(at, &source.v4.sin_addr, 4)
        memcpy(at + 4, &destination.v4.sin_addr, 4)
        memcpy(at + 8, &source.v4.sin_port, 2)
        memcpy(at + 10, &destination.v4.sin_port, 2)
    return PROXY_V2_FIXED + out[15]


# --- fuzzing ---

cdef int fuzz_proxy_protocol(const uint8_t* data, size_t size) noexcept nogil:
    cdef ProxyHeaderC whole, part, again
    cdef uint8_t written[PROXY_WRITE_LIMIT]
    cdef int result = proxy_protocol_parse(data, size, &whole)
    cdef int cut_result, length
    cdef size_t cut
    if result > 0 and (<size_t>result > size or result > PROXY_V2_LIMIT):
        abort()
    # A shorter piece may ask for more, or give the same verdict; it may never give another one.
    for cut in range(min(size, <size_t>PROXY_V2_LIMIT)):
        cut_result = proxy_protocol_parse(data, cut, &part)
        if cut_result != PROXY_INCOMPLETE and cut_result != result:
            abort()
        if result > 0 and cut < <size_t>result and cut_result != PROXY_INCOMPLETE:
            abort()
    if result > 0:
        length = proxy_protocol_write(written, whole.version, &whole.source, &whole.destination)
        if length > PROXY_WRITE_LIMIT or proxy_protocol_parse(written, <size_t>length, &again) != length:
            abort()
        if again.source.family != whole.source.family and whole.source.family != AF_UNIX:
            abort()
    return 0

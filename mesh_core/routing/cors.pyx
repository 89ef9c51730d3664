"""Which origins are allowed; the contract stands in cors.pxd."""

from mesh_core.http1.grammar cimport CLASS_UNRESERVED, equals_ignoring_case, is_of
from mesh_core.routing.regex cimport regex_fits, regex_walk


cdef bint cors_allows(const CorsC* cors, TextC origin) noexcept nogil:
    cdef uint32_t index
    if not origin.size or origin.size > CORS_ORIGIN_MOST:
        return False
    if cors.any_origin:
        return True
    for index in range(cors.origin_count):
        if fits(&cors.origins[index], origin):
            return True
    for index in range(cors.regex_count):
        if regex_fits(&cors.regexes[index], regex_walk(
                &cors.regexes[index], cors.regexes[index].start, origin.bytes, origin.size)):
            return True
    return False


cdef bint fits(const CorsOriginC* known, TextC origin) noexcept nogil:
    if not known.is_pattern:
        return known.text.size == origin.size and equals_ignoring_case(known.text.bytes, origin.bytes, origin.size)
    return known.text.size < origin.size and equals_ignoring_case(
        known.text.bytes, origin.bytes, known.text.size) and host_fits(
            known, TextC(origin.bytes + known.text.size, origin.size - known.text.size))


cdef bint host_fits(const CorsOriginC* known, TextC host) noexcept nogil:
    """Whether a host with its port, if it has one, is a name (or an IPv4 address) that the pattern means."""
    cdef size_t size = 0
    while size < host.size and is_of(host.bytes[size], CLASS_UNRESERVED):
        size += 1
    if size <= known.suffix.size or not equals_ignoring_case(
            host.bytes + size - known.suffix.size, known.suffix.bytes, known.suffix.size):
        return False
    return known.port.size == host.size - size and equals_ignoring_case(
        known.port.bytes, host.bytes + size, known.port.size)

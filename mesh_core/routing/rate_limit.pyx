"""Which rules a request is subject to; the contract stands in rate_limit.pxd."""

from libc.string cimport memchr
from mesh_core.http1.grammar cimport equals_ignoring_case
from mesh_core.http1.head cimport FIELD_REMOVED, FieldC
from mesh_core.routing.header_match cimport header_fits
from mesh_core.upstream.hashing cimport hash_address, hash_bytes, mix_bits


cdef bint rate_limit_applies(const RateLimitC* rule, const RequestViewC* request, uint64_t* key) noexcept nogil:
    cdef uint32_t index
    key[0] = rule.buckets.seed
    for index in range(rule.header_count):
        if not header_fits(&rule.headers[index], request):
            return False
    for index in range(rule.key_count):
        # Two parts that hold the same are not each other's.
        key[0] = mix_bits(key[0] + index)
        if not add_part(&rule.keys[index], request, key):
            return False
    return True


cdef bint add_part(const RateKeyC* part, const RequestViewC* request, uint64_t* key) noexcept nogil:
    cdef uint64_t address = 0
    if part.kind == RATE_KEY_HEADER:
        return add_header(part, request, key)
    if part.kind == RATE_KEY_PATH_SEGMENTS:
        key[0] = hash_bytes(request.path.bytes, begin_of_path(request.path, part.segments), key[0])
    else:
        # Peers without an address, those of Unix sockets, are one.
        hash_address(request.remote, &address)
        key[0] = mix_bits(key[0] ^ address)
    return True


cdef bint add_header(const RateKeyC* part, const RequestViewC* request, uint64_t* key) noexcept nogil:
    cdef const FieldC* field
    cdef uint32_t index
    cdef bint present = False
    for index in range(request.head.field_count):
        field = &request.head.fields[index]
        if field.name.size == part.name.size and not field.flags & FIELD_REMOVED and (
                equals_ignoring_case(request.data + field.name.at, part.name.bytes, part.name.size)):
            key[0] = hash_bytes(request.data + field.value.at, field.value.size, key[0])
            present = True
    return present


cdef size_t begin_of_path(TextC path, uint32_t segments) noexcept nogil:
    """How many bytes of the path its first segments are."""
    cdef size_t size = 0
    cdef const uint8_t* slash
    while segments and size < path.size:
        # What is at `size` is the slash before a segment.
        slash = <const uint8_t*>memchr(path.bytes + size + 1, c"/", path.size - size - 1)
        size = path.size if slash == NULL else slash - path.bytes
        segments -= 1
    return size

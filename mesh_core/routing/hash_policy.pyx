"""The hash of a request; the contract stands in hash_policy.pxd."""

from libc.stdint cimport uint32_t
from libc.string cimport memchr, memcmp
from mesh_core.http1.grammar cimport equals_ignoring_case
from mesh_core.http1.head cimport FIELD_REMOVED, FieldC
from mesh_core.http1.serialize cimport TextC
from mesh_core.includes.socket cimport AF_INET, AF_INET6
from mesh_core.routing.cookie cimport COOKIE_NO_TTL, cookie_find, cookie_write
from mesh_core.routing.route cimport (
    HASH_COOKIE, HASH_HEADER, HASH_QUERY_PARAMETER, HashPolicyC,
)
from mesh_core.routing.text_writer cimport TextWriterC, write_key
from mesh_core.upstream.hashing cimport hash_bytes, mix_bits

cdef enum:
    KEY_BYTES = 16             # of a cookie that was made here
    MAPPED_BYTES = 12          # of an IPv6 address, before the IPv4 address that it stands for


cdef bint route_hash(
    const RouteC* route, const RequestViewC* request, uint64_t random, RouteHashC* out
) noexcept nogil:
    cdef const HashPolicyC* policy
    cdef uint64_t part
    cdef uint32_t index
    out.hash = 0
    out.hashed = False
    out.cookie = NULL
    out.cookie_value = random
    for index in range(route.hash_policy_count):
        policy = &route.hash_policies[index]
        if hash_part(policy, request, out, &part):
            # Rotated, so that two equal parts do not cancel each other out.
            out.hash = ((out.hash << 1) | (out.hash >> 63)) ^ part
            out.hashed = True
        if policy.terminal and out.hashed:
            break
    return out.hashed


cdef bint hash_part(
    const HashPolicyC* policy, const RequestViewC* request, RouteHashC* out, uint64_t* part
) noexcept nogil:
    if policy.kind == HASH_HEADER:
        return hash_header(policy, request, part)
    if policy.kind == HASH_COOKIE:
        return hash_cookie(policy, request, out, part)
    if policy.kind == HASH_QUERY_PARAMETER:
        return hash_parameter(policy, request, part)
    return hash_source(request, part)


cdef bint hash_header(const HashPolicyC* policy, const RequestViewC* request, uint64_t* part) noexcept nogil:
    cdef const uint8_t* data = request.data
    cdef const FieldC* field
    cdef uint64_t sum = 0, first = 0
    cdef uint32_t index, count = 0
    for index in range(request.head.field_count):
        field = &request.head.fields[index]
        if field.name.size != policy.name.size or field.flags & FIELD_REMOVED:
            continue
        if equals_ignoring_case(data + field.name.at, policy.name.bytes, policy.name.size):
            first = hash_bytes(data + field.value.at, field.value.size, 0)
            # A sum, so that the order of several lines does not matter.
            sum += mix_bits(first)
            count += 1
    part[0] = first if count == 1 else sum
    return count > 0


cdef bint hash_cookie(
    const HashPolicyC* policy, const RequestViewC* request, RouteHashC* out, uint64_t* part
) noexcept nogil:
    cdef uint8_t[KEY_BYTES] text
    cdef TextC value = TextC(NULL, 0)
    if not cookie_find(request.head, request.data, &policy.cookie.name, &value):
        if policy.cookie.ttl_s == COOKIE_NO_TTL:
            return False
        out.cookie = &policy.cookie
        value = key_text(out.cookie_value, text)
    part[0] = hash_bytes(value.bytes, value.size, 0)
    return True


cdef bint hash_parameter(const HashPolicyC* policy, const RequestViewC* request, uint64_t* part) noexcept nogil:
    cdef const uint8_t* at = request.query.bytes
    cdef size_t left = request.query.size, size
    cdef const uint8_t* end
    while left:
        end = <const uint8_t*>memchr(at, c"&", left)
        size = left if end == NULL else end - at
        if size >= policy.name.size and memcmp(at, policy.name.bytes, policy.name.size) == 0:
            if size == policy.name.size:
                part[0] = hash_bytes(NULL, 0, 0)
                return True
            if at[policy.name.size] == c"=":
                part[0] = hash_bytes(at + policy.name.size + 1, size - policy.name.size - 1, 0)
                return True
        if end == NULL:
            break
        at = end + 1
        left -= size + 1
    return False


cdef bint hash_source(const RequestViewC* request, uint64_t* part) noexcept nogil:
    """By the address alone; one of IPv4 is the same when it comes mapped into IPv6."""
    cdef const uint8_t* address
    if request.remote.family == AF_INET:
        part[0] = hash_bytes(&request.remote.v4.sin_addr, 4, 0)
        return True
    if request.remote.family != AF_INET6:
        return False
    address = <const uint8_t*>&request.remote.v6.sin6_addr
    if memcmp(address, b"\0\0\0\0\0\0\0\0\0\0\xff\xff", MAPPED_BYTES) == 0:
        part[0] = hash_bytes(address + MAPPED_BYTES, 4, 0)
    else:
        part[0] = hash_bytes(address, 16, 0)
    return True


cdef TextC key_text(uint64_t key, uint8_t* out) noexcept nogil:
    cdef TextWriterC writer = TextWriterC(out, 0, KEY_BYTES, False)
    write_key(&writer, key)
    return TextC(out, writer.size)


cdef size_t hash_cookie_write(const RouteHashC* hash, uint8_t* out, size_t capacity) noexcept nogil:
    cdef uint8_t[KEY_BYTES] text
    cdef TextC value = key_text(hash.cookie_value, text)
    return cookie_write(hash.cookie, &value, out, capacity)

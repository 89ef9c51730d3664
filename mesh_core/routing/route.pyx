"""What a route does; the contract stands in route.pxd."""

from mesh_core.http1.grammar cimport SliceC, equals_ignoring_case, list_next


cdef bint route_allows_upgrade(const RouteC* route, const uint8_t* upgrade, size_t size) noexcept nogil:
    cdef SliceC protocol
    cdef uint32_t at = 0
    cdef bint allows = False
    while list_next(upgrade, &at, <uint32_t>size, &protocol):
        allows = is_allowed(route, upgrade + protocol.at, protocol.size)
        if not allows:
            return False
    return allows


cdef bint is_allowed(const RouteC* route, const uint8_t* protocol, size_t size) noexcept nogil:
    cdef const TextC* known
    cdef uint32_t index
    for index in range(route.upgrade_count):
        known = &route.upgrades[index]
        if known.size == size and equals_ignoring_case(known.bytes, protocol, size):
            return True
    return False

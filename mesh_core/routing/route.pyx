"""What a route does; the contract stands in route.pxd."""

from mesh_core.http1.grammar cimport SliceC, equals_ignoring_case, list_next
from mesh_core.upstream.hashing cimport multiply_high


cdef const RouteClusterC* route_choose_cluster(const RouteC* route, uint64_t random) noexcept nogil:
    cdef const RouteClusterC* last = &route.clusters[route.cluster_count - 1]
    cdef const RouteClusterC* chosen = route.clusters
    cdef uint64_t number = multiply_high(random, last.weight_end)
    if last.weight_end == 0:
        return NULL
    while chosen.weight_end <= number:
        chosen += 1
    return chosen


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

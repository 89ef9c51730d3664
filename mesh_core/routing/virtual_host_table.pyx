"""The virtual hosts of a listener or filter chain; the contract stands in virtual_host_table.pxd."""

from mesh_core.http1.grammar cimport equals_ignoring_case, is_digit, lower
from mesh_core.includes.prefetch cimport prefetch
from mesh_core.routing.text_hash cimport hash_byte, hash_end

cdef enum:
    HTTP_PORT = 80
    HTTPS_PORT = 443
    PORT_BOUND = 1 << 20       # where a number too large to be a port stops growing


cdef const VirtualHostC* virtual_host_find(
    const VirtualHostTableC* table, TextC authority, bint secure
) noexcept nogil:
    if not table.longest and not table.any.port_count:
        # There is one for whatever host.
        return table.any.every
    return find_named(table, authority, HTTPS_PORT if secure else HTTP_PORT)


cdef const VirtualHostC* find_named(
    const VirtualHostTableC* table, TextC host, uint32_t usual_port
) noexcept nogil:
    cdef uint32_t port = split_port(&host, usual_port)
    cdef const VirtualHostC* found = by_port(&table.any, port)
    cdef const VirtualHostC* better
    cdef uint64_t hash = table.seed
    cdef size_t index = host.size, begin = host.size - min(host.size, <size_t>table.longest)
    while index > begin:
        index -= 1
        hash = hash_byte(hash, lower(host.bytes[index]))
        if (index == 0 or host.bytes[index] == c".") and table.sizes >> (host.size - index & 63) & 1:
            better = by_port(host_place(table, hash_end(hash), host.bytes + index, host.size - index), port)
            # A whole name is not what others end with.
            if better != NULL and (index == 0) != (host.bytes[index] == c"."):
                found = better
    return found


cdef uint32_t split_port(TextC* host, uint32_t otherwise) noexcept nogil:
    """Take the port from `host`, and a dot before it; the port."""
    cdef size_t at = host.size, index
    cdef uint32_t port = 0
    while at and is_digit(host.bytes[at - 1]):
        at -= 1
    if at == 0 or host.bytes[at - 1] != c":":
        port = otherwise
    else:
        if at == host.size:
            port = otherwise
        for index in range(at, host.size):
            port = min(port * 10 + host.bytes[index] - c"0", <uint32_t>PORT_BOUND)
        host.size = at - 1
    if host.size and host.bytes[host.size - 1] == c".":
        host.size -= 1
    return port


cdef const VirtualHostC* by_port(const HostPlaceC* place, uint32_t port) noexcept nogil:
    """That of the port, or else of every port."""
    cdef uint32_t low = 0, high = place.port_count, middle
    while low < high:
        middle = (low + high) // 2
        if place.ports[middle].port < port:
            low = middle + 1
        else:
            high = middle
    if low < place.port_count and place.ports[low].port == port:
        return place.ports[low].host
    return place.every


cdef HostPlaceC* host_place(
    const VirtualHostTableC* table, uint64_t hash, const uint8_t* text, size_t size
) noexcept nogil:
    cdef uint32_t index = <uint32_t>hash & table.mask
    cdef HostPlaceC* place = &table.places[index]
    prefetch(place.every)
    while place.text.bytes != NULL and (
        place.hash != hash or place.text.size != size or not equals_ignoring_case(place.text.bytes, text, size)
    ):
        index = (index + 1) & table.mask
        place = &table.places[index]
    return place

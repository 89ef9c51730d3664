"""The choice of a filter chain; the contract stands in filter_chain_table.pxd."""

from libc.string cimport memcmp, memcpy, memset
from mesh_core.includes.socket cimport AF_INET, AF_INET6, ntohs

cdef const uint8_t* MAPPED = b"\0\0\0\0\0\0\0\0\0\0\xff\xff"    # ::ffff:0:0/96

cdef enum:
    MAPPED_BYTES = 12


cdef int filter_chain_find(
    const FilterChainTableC* table, const PeerAddressC* destination, const PeerAddressC* source,
    const ClientHelloC* hello
) noexcept nogil:
    cdef const FilterChainStepC* step = by_number(table.root, port_of(destination))
    step = by_address(step, destination)
    step = by_server_name(step, hello)
    step = by_number(step, hello != NULL)
    step = by_protocol(step, hello)
    step = by_address(step, source)
    return step.chain if step != NULL else -1


cdef int port_of(const PeerAddressC* address) noexcept nogil:
    if address.family == AF_INET or address.family == AF_INET6:
        return ntohs(address.v4.sin_port)      # sin6_port has the same place
    return 0


cdef const FilterChainStepC* by_number(const FilterChainStepC* step, int number) noexcept nogil:
    cdef uint32_t low = 0, high, middle
    if step == NULL:
        return NULL
    high = step.entry_count
    while low < high:
        middle = (low + high) // 2
        if step.entries.numbers[middle].number < number:
            low = middle + 1
        else:
            high = middle
    if low < step.entry_count and step.entries.numbers[low].number == number:
        return step.entries.numbers[low].next
    return step.otherwise


cdef const FilterChainStepC* by_address(const FilterChainStepC* step, const PeerAddressC* address) noexcept nogil:
    cdef uint8_t key[ADDRESS_KEY_BYTES]
    cdef uint32_t low = 0, high, middle
    if step == NULL or step.entry_count == 0 or not address_key(address, key):
        return step.otherwise if step != NULL else NULL
    high = step.entry_count
    while high - low > 1:
        middle = (low + high) // 2
        if memcmp(step.entries.addresses[middle].first, key, ADDRESS_KEY_BYTES) <= 0:
            low = middle
        else:
            high = middle
    return step.entries.addresses[low].next


cdef bint address_key(const PeerAddressC* address, uint8_t* key) noexcept nogil:
    """False for what has no IP address. IPv4 within IPv6 counts as IPv4."""
    cdef const uint8_t* six = <const uint8_t*>&address.v6.sin6_addr
    memset(key, 0, ADDRESS_KEY_BYTES)
    if address.family == AF_INET:
        key[0] = 4
        memcpy(key + 1, &address.v4.sin_addr, 4)
    elif address.family != AF_INET6:
        return False
    elif memcmp(six, MAPPED, MAPPED_BYTES) == 0:
        key[0] = 4
        memcpy(key + 1, six + MAPPED_BYTES, 4)
    else:
        key[0] = 6
        memcpy(key + 1, six, 16)
    return True


cdef const FilterChainStepC* by_server_name(const FilterChainStepC* step, const ClientHelloC* hello) noexcept nogil:
    """One pass from the name's end; at each dot stands what a wildcard may be, at the beginning the whole name."""
    cdef const FilterChainStepC* found
    cdef const TextEntryC* place
    cdef uint32_t hash = TEXT_HASH_SEED
    cdef size_t index
    if step == NULL or step.entry_count == 0 or hello == NULL:
        return step.otherwise if step != NULL else NULL
    found = step.otherwise
    index = hello.server_name_bytes
    while index:
        index -= 1
        hash = text_hash(hash, <uint8_t>hello.server_name[index])
        if index == 0 or hello.server_name[index] == c".":
            place = text_place(step, hash, hello.server_name + index, hello.server_name_bytes - index)
            if place.text != NULL:
                found = place.next
    return found


cdef const FilterChainStepC* by_protocol(const FilterChainStepC* step, const ClientHelloC* hello) noexcept nogil:
    cdef const TextEntryC* place
    cdef const char* protocol
    cdef uint32_t hash
    cdef size_t at = 0, index
    if step == NULL or step.entry_count == 0 or hello == NULL:
        return step.otherwise if step != NULL else NULL
    while at < hello.alpn_bytes:
        protocol = <const char*>hello.alpn + at + 1
        hash = TEXT_HASH_SEED
        index = hello.alpn[at]
        while index:
            index -= 1
            hash = text_hash(hash, <uint8_t>protocol[index])
        place = text_place(step, hash, protocol, hello.alpn[at])
        if place.text != NULL:
            return place.next
        at += 1 + hello.alpn[at]
    return step.otherwise


cdef TextEntryC* text_place(
    const FilterChainStepC* step, uint32_t hash, const char* text, size_t size
) noexcept nogil:
    cdef uint32_t mask = step.entry_count - 1
    cdef uint32_t index = hash & mask
    cdef TextEntryC* place = &step.entries.texts[index]
    while place.text != NULL and (place.size != size or memcmp(place.text, text, size) != 0):
        index = (index + 1) & mask
        place = &step.entries.texts[index]
    return place

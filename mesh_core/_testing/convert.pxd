"""Between Python's bytes and what the compiled core takes."""

from libc.stdint cimport uint8_t
from libc.string cimport memcpy, memset
from mesh_core.includes.socket cimport sockaddr_storage
from mesh_core.net.address cimport PeerAddressC, peer_address_from
from mesh_core.runtime.memory cimport memory_alloc


# The bytes in a heap block of exactly their size, so that the address sanitizer sees a read past their end. The
# caller frees it.
cdef inline uint8_t* exact_copy(bytes data) except NULL:
    cdef uint8_t* copy = <uint8_t*>memory_alloc(len(data))
    if copy == NULL:
        raise MemoryError()
    memcpy(copy, <const char*>data, len(data))
    return copy


cdef inline PeerAddressC peer_address(bytes socket_address) except *:
    cdef sockaddr_storage storage
    cdef PeerAddressC out
    memset(&storage, 0, sizeof(storage))
    memcpy(&storage, <const char*>socket_address, min(<size_t>len(socket_address), sizeof(storage)))
    peer_address_from(&out, &storage)
    return out


cdef inline bytes peer_bytes(const PeerAddressC* address):
    return (<const char*>address)[:sizeof(PeerAddressC)]

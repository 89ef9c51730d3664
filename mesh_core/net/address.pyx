"""Socket addresses as C structs and as text; the contract stands in address.pxd."""

from libc.stdint cimport uint8_t, uint32_t
from libc.stdio cimport snprintf
from libc.string cimport memcpy, memset, strlen
from mesh_core.includes.socket cimport (
    AF_INET, AF_INET6, AF_UNIX, INET6_ADDRSTRLEN, htons, inet_ntop, inet_pton, ntohs, sockaddr_un,
)


cdef void peer_address_from(PeerAddressC* out, const sockaddr_storage* address) noexcept nogil:
    memset(out, 0, sizeof(PeerAddressC))
    if address.ss_family == AF_INET6:
        memcpy(&out.v6, address, sizeof(sockaddr_in6))
    elif address.ss_family == AF_INET:
        memcpy(&out.v4, address, sizeof(sockaddr_in))
    else:
        out.family = address.ss_family


cdef int address_format(const PeerAddressC* address, char* text) noexcept nogil:
    cdef char host[INET6_ADDRSTRLEN]
    if address.family == AF_INET:
        inet_ntop(AF_INET, &address.v4.sin_addr, host, sizeof(host))
        return snprintf(text, ADDRESS_TEXT_BYTES, b"%s:%u", host, <unsigned int>ntohs(address.v4.sin_port))
    if address.family == AF_INET6:
        inet_ntop(AF_INET6, &address.v6.sin6_addr, host, sizeof(host))
        return snprintf(text, ADDRESS_TEXT_BYTES, b"[%s]:%u", host, <unsigned int>ntohs(address.v6.sin6_port))
    if address.family == AF_UNIX:
        return snprintf(text, ADDRESS_TEXT_BYTES, b"unix:")
    return snprintf(text, ADDRESS_TEXT_BYTES, b"-")


cdef int address_format_host(const PeerAddressC* address, char* text) noexcept nogil:
    cdef const uint8_t* octets = <const uint8_t*>&address.v4.sin_addr
    cdef uint32_t octet, hundreds
    cdef int size = 0
    cdef int index
    if address.family == AF_INET6:
        inet_ntop(AF_INET6, &address.v6.sin6_addr, text, INET6_ADDRSTRLEN)
        return <int>strlen(text)
    if address.family != AF_INET:
        return 0
    # By hand: it is done for every request.
    for index in range(4):
        octet = octets[index]
        if octet >= 10:
            if octet >= 100:
                hundreds = 2 if octet >= 200 else 1
                text[size] = <char>(c"0" + hundreds)
                octet -= 100 * hundreds
                size += 1
            text[size] = <char>(c"0" + octet // 10)
            octet %= 10
            size += 1
        text[size] = <char>(c"0" + octet)
        text[size + 1] = c"."
        size += 2
    return size - 1


cdef bint address_is_wildcard(const PeerAddressC* address) noexcept nogil:
    cdef int index
    if address.family == AF_INET:
        return address.v4.sin_addr.s_addr == 0
    if address.family == AF_INET6:
        for index in range(16):
            if address.v6.sin6_addr.s6_addr[index]:
                return False
        return True
    return False


cdef socklen_t address_from_ip(sockaddr_storage* out, const char* host, int port) noexcept nogil:
    cdef sockaddr_in* v4 = <sockaddr_in*>out
    cdef sockaddr_in6* v6 = <sockaddr_in6*>out
    memset(out, 0, sizeof(sockaddr_storage))
    if inet_pton(AF_INET, host, &v4.sin_addr) == 1:
        v4.sin_family = AF_INET
        v4.sin_port = htons(<unsigned short>port)
        return sizeof(sockaddr_in)
    if inet_pton(AF_INET6, host, &v6.sin6_addr) == 1:
        v6.sin6_family = AF_INET6
        v6.sin6_port = htons(<unsigned short>port)
        return sizeof(sockaddr_in6)
    return 0


cdef socklen_t address_from_path(sockaddr_storage* out, const char* path, size_t size) noexcept nogil:
    cdef sockaddr_un* unix_address = <sockaddr_un*>out
    memset(out, 0, sizeof(sockaddr_storage))
    # A path in the file system needs room for its NUL.
    if size == 0 or size > sizeof(unix_address.sun_path) - (1 if path[0] != 0 else 0):
        return 0
    unix_address.sun_family = AF_UNIX
    memcpy(unix_address.sun_path, path, size)
    # A path in the file system carries its NUL; an abstract name is exactly its bytes.
    return <socklen_t>(sizeof(sa_family_t) + size + (1 if path[0] != 0 else 0))

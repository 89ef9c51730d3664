"""Socket addresses as C structs and as text."""

from mesh_core.includes.socket cimport sa_family_t, sockaddr, sockaddr_in, sockaddr_in6, sockaddr_storage, socklen_t

cdef enum:
    ADDRESS_TEXT_BYTES = 128   # any text of address_format, its NUL included


# The address of one end of a connection, 28 bytes. A Unix socket's peer has no address but its family.
cdef union PeerAddressC:
    sa_family_t family         # AF_UNSPEC when not known
    sockaddr_in v4
    sockaddr_in6 v6


# Keep what fits of any socket address.
cdef void peer_address_from(PeerAddressC* out, const sockaddr_storage* address) noexcept nogil

# The address as "127.0.0.1:80", "[::1]:80", "unix:" or "-"; returns the length without the NUL.
cdef int address_format(const PeerAddressC* address, char* text) noexcept nogil

# Its IP address alone, as "127.0.0.1" or "::1"; the length without a NUL, 0 when there is none.
cdef int address_format_host(const PeerAddressC* address, char* text) noexcept nogil

# True for 0.0.0.0 and ::.
cdef bint address_is_wildcard(const PeerAddressC* address) noexcept nogil

# Fill in from text: `host` is an IPv4 or IPv6 literal. The size of the address, or 0 when it is not one.
cdef socklen_t address_from_ip(sockaddr_storage* out, const char* host, int port) noexcept nogil

# Fill in a Unix socket's address; a path that begins with NUL is abstract. 0 when it is too long.
cdef socklen_t address_from_path(sockaddr_storage* out, const char* path, size_t size) noexcept nogil

"""The few things that a worker does to a socket besides reading and writing it."""

from mesh_core.includes.socket cimport sockaddr_storage, socklen_t
from mesh_core.net.address cimport PeerAddressC


# A non-blocking connection on its way: the descriptor (owned by the caller; below `descriptor_limit`), or -errno.
# `connected` tells whether it is established already, as on a Unix socket.
cdef int socket_connect(
    const sockaddr_storage* address, socklen_t size, int descriptor_limit, bint* connected
) noexcept nogil

# The address of our end; `out.family` is AF_UNSPEC when there is none.
cdef void socket_local_address(int fd, PeerAddressC* out) noexcept nogil

# Close so that the peer sees a reset, whatever was still to be sent.
cdef void socket_close_reset(int fd) noexcept nogil

"""The few things that a worker does to a socket; the contract stands in sockets.pxd."""

from mesh_core.includes.linux cimport EINPROGRESS, EMFILE, close, errno
from mesh_core.includes.socket cimport (
    AF_UNIX, AF_UNSPEC, IPPROTO_TCP, SO_LINGER, SO_OOBINLINE, SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_STREAM, SOL_SOCKET,
    TCP_NODELAY, connect, getsockname, linger, setsockopt, sockaddr, socket,
)
from mesh_core.net.address cimport peer_address_from


cdef int socket_connect(
    const sockaddr_storage* address, socklen_t size, int descriptor_limit, bint* connected
) noexcept nogil:
    cdef int one = 1
    cdef int error
    cdef int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
    connected[0] = False
    if fd < 0:
        return -errno
    if fd >= descriptor_limit:
        close(fd)
        return -EMFILE
    # An urgent byte stays in its place in the stream; otherwise the kernel would take it out.
    setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &one, sizeof(one))
    if address.ss_family != AF_UNIX:
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one))
    if connect(fd, <const sockaddr*>address, size) == 0:
        connected[0] = True
    elif errno != EINPROGRESS:
        error = errno
        close(fd)
        return -error
    return fd


cdef void socket_local_address(int fd, PeerAddressC* out) noexcept nogil:
    cdef sockaddr_storage address
    cdef socklen_t size = sizeof(address)
    if fd >= 0 and getsockname(fd, <sockaddr*>&address, &size) == 0:
        peer_address_from(out, &address)
    else:
        out.family = AF_UNSPEC


cdef void socket_close_reset(int fd) noexcept nogil:
    cdef linger now = linger(l_onoff=1, l_linger=0)
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now))
    close(fd)

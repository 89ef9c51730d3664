"""What the peer's kernel has acknowledged; the contract stands in acknowledged.pxd."""

from libc.string cimport memset
from mesh_core.includes.tcp_info cimport IPPROTO_TCP, TCP_INFO, getsockopt, tcp_info


cdef int64_t socket_acknowledged_bytes(int fd) noexcept nogil:
    cdef tcp_info info
    cdef unsigned int size = sizeof(info)
    memset(&info, 0, sizeof(info))
    if getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 or not info.tcpi_bytes_acked:
        # A kernel that does not count says 0, too: of a connection that is open, the SYN was acknowledged.
        return -1
    return <int64_t>info.tcpi_bytes_acked - 1

"""What the kernel tells of a TCP connection.

Apart from socket.pxd: <linux/tcp.h> and <netinet/tcp.h> exclude each other, and only the former has all of it.
"""

from libc.stdint cimport uint64_t

cdef extern from "<sys/socket.h>" nogil:
    int getsockopt(int fd, int level, int name, void* value, unsigned int* size)

cdef extern from "<linux/in.h>" nogil:
    enum:
        IPPROTO_TCP

cdef extern from "<linux/tcp.h>" nogil:
    enum:
        TCP_INFO
    cdef struct tcp_info:
        uint64_t tcpi_bytes_acked  # Linux 4.1; the SYN counts as one

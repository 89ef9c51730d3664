"""What the peer's kernel has acknowledged. Any thread, no GIL."""

from libc.stdint cimport int64_t


# How many bytes of what was sent on a TCP connection that we opened the peer's kernel has acknowledged, also once the
# connection has ended; -1 of any other socket. Costs a system call.
cdef int64_t socket_acknowledged_bytes(int fd) noexcept nogil

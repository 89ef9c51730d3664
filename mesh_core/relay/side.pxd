"""One socket of a connection, and what belongs to it. Worker thread, no GIL."""

from libc.stdint cimport uint32_t, uint64_t
from mesh_core.runtime.byte_queue cimport ByteQueueC
from mesh_core.runtime.core cimport CoreC
from mesh_core.runtime.pipe_pool cimport PipeC
from mesh_core.runtime.reactor cimport SourceC, TaskC
from mesh_core.tls.session cimport TlsC

cdef enum:
    SIDE_READABLE = 1 << 0     # there may be something to receive
    SIDE_UNTIL_EMPTY = 1 << 1  # end, error or urgent data: a short receive does not mean that nothing is left
    SIDE_ENDED = 1 << 2        # the end of its stream was read
    SIDE_SHUT = 1 << 3         # our end of stream was sent to it
    SIDE_BLOCKED = 1 << 4      # takes no more until epoll says so
    SIDE_FAILED = 1 << 5       # it was reset; what it said before may still be there


# Told a HandshakeResult; see tls_handshake.pxd.
ctypedef void (*handshake_done_fn)(void* owner, int result) noexcept nogil


# A handshake under way. Owner: SideC.
cdef struct HandshakeC:
    CoreC* core
    SideC* side
    TaskC task
    void* owner
    handshake_done_fn done


# One socket of a connection. Owner: the struct that it is embedded in, which calls side_close before it goes.
cdef struct SideC:
    SourceC source             # with the descriptor, -1 when there is none
    uint32_t flags             # SideFlag bits
    uint32_t input_flags       # what an event of plain input sets; see side_input_flags
    uint32_t bulk              # bytes received in large pieces, one after the other
    ByteQueueC queue           # waits to be sent to this socket
    PipeC* pipe                # the same, in a pipe
    TlsC* tls                  # what is sent and received is in its records; NULL: in the clear
    HandshakeC* handshake      # owned; NULL: none is under way
    uint64_t received          # these count bytes in the clear
    uint64_t sent
    uint64_t records_sent      # with TLS: bytes that the kernel took
    uint64_t* rx_counter       # statistics of this side; borrowed
    uint64_t* tx_counter


# Bytes that the kernel took to send, whatever they mean.
cdef inline uint64_t side_wire_sent(const SideC* side) noexcept nogil:
    return side.sent if side.tls == NULL else side.records_sent

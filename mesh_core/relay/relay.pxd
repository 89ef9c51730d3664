"""Moving bytes from one socket to another: the hot path. Worker thread, no GIL.

Short data is copied: one receive into the worker's scratch buffer, one send. A stream that proves long is spliced
through a pipe. What the sink does not take is kept, and nothing more is read until it has gone: that is all the
flow control there is, and it bounds what a connection holds.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from mesh_core.runtime.byte_queue cimport ByteQueueC
from mesh_core.runtime.core cimport CoreC
from mesh_core.runtime.pipe_pool cimport PipeC
from mesh_core.runtime.reactor cimport SourceC
from mesh_core.tls.session cimport TlsC

cdef enum:
    MOVE_ROUNDS = 4            # receives in one call (1 MiB); then other connections have their turn
    BULK_RECEIVE = 32768       # a receive of this size or more counts towards bulk
    BULK_THRESHOLD = 262144    # so many bytes in such receives make a stream bulk

cdef enum:
    SIDE_READABLE = 1 << 0     # there may be something to receive
    SIDE_UNTIL_EMPTY = 1 << 1  # end, error or urgent data: a short receive does not mean that nothing is left
    SIDE_ENDED = 1 << 2        # the end of its stream was read
    SIDE_SHUT = 1 << 3         # our end of stream was sent to it
    SIDE_BLOCKED = 1 << 4      # takes no more until epoll says so
    SIDE_FAILED = 1 << 5       # it was reset; what it said before may still be there


# One socket of a connection. Owner: ConnectionC, which must call side_clear before it goes.
cdef struct SideC:
    SourceC source             # with the descriptor, -1 when there is none
    uint32_t flags             # SideFlag bits
    uint32_t input_flags       # what an event of plain input sets; see side_input_flags
    uint32_t bulk              # bytes received in large pieces, one after the other
    ByteQueueC queue           # waits to be sent to this socket
    PipeC* pipe                # the same, in a pipe
    TlsC* tls                  # what is sent and received is in its records; NULL: in the clear
    uint64_t received          # these count bytes in the clear
    uint64_t sent
    uint64_t* rx_counter       # statistics of this side; borrowed
    uint64_t* tx_counter


cdef enum RelayStatus:
    RELAY_WAITING              # all that there was has been moved
    RELAY_BLOCKED              # the sink takes no more for now
    RELAY_YIELDED              # there is more, but others shall have their turn
    RELAY_ENDED                # the source has ended, and all before its end has been sent
    RELAY_SOURCE_FAILED
    RELAY_SINK_FAILED
    RELAY_NO_MEMORY
    RELAY_TRUNCATED            # the source's connection has ended, and its TLS stream has not
    RELAY_TLS_FAILED           # the source sent what is no valid record


# Move what there is from `source` to `sink`, holding back at most `limit` bytes (1 to SCRATCH_BYTES).
cdef RelayStatus relay_move(CoreC* core, SideC* source, SideC* sink, size_t limit) noexcept nogil

# What a receive that brought no bytes means for its source; RELAY_YIELDED to try again.
cdef RelayStatus relay_nothing_received(SideC* source, ssize_t received) noexcept nogil

# Send what waits for the sink; RELAY_WAITING when all of it has gone.
cdef RelayStatus relay_flush(CoreC* core, SideC* sink) noexcept nogil

# Send these bytes as they are, and keep those that the sink does not take: RELAY_WAITING when it took all,
# RELAY_BLOCKED, RELAY_SINK_FAILED or RELAY_NO_MEMORY.
cdef RelayStatus relay_send(CoreC* core, SideC* sink, const uint8_t* data, size_t size) noexcept nogil

# The flags that input on a socket of this address family sets.
cdef uint32_t side_input_flags(int family) noexcept nogil

# Drop whatever still waits to be sent to this side.
cdef void side_clear(CoreC* core, SideC* side) noexcept nogil

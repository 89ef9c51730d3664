"""Moving bytes from one socket to another: the hot path. Worker thread, no GIL.

Short data is copied: one receive into the worker's scratch buffer, one send. A stream that proves long is spliced
through a pipe. What the sink does not take is kept, and nothing more is read until it has gone: that is all the
flow control there is, and it bounds what a connection holds.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from mesh_core.relay.side cimport SideC
from mesh_core.runtime.core cimport CoreC

cdef enum:
    MOVE_ROUNDS = 4            # receives in one call (1 MiB); then other connections have their turn
    BULK_RECEIVE = 32768       # a receive of this size or more counts towards bulk
    BULK_THRESHOLD = 262144    # so many bytes in such receives make a stream bulk

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


# Move what there is from `source` to `sink`, holding back at most `limit` bytes (1 to SCRATCH_BYTES), and at most
# `left` bytes in all, which is counted down.
cdef RelayStatus relay_move(CoreC* core, SideC* source, SideC* sink, size_t limit, uint64_t* left) noexcept nogil

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

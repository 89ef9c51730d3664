"""Bytes in the clear from and to a side, whether it speaks TLS or not. Worker thread, no GIL."""

from libc.stdint cimport uint8_t, uint32_t
from mesh_core.includes.linux cimport EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLRDHUP
from mesh_core.relay.relay cimport RelayStatus, relay_send
from mesh_core.relay.side cimport (
    SIDE_BLOCKED, SIDE_ENDED, SIDE_FAILED, SIDE_READABLE, SIDE_UNTIL_EMPTY, SideC,
)
from mesh_core.runtime.core cimport CoreC
from mesh_core.tls.session cimport TLS_BUFFERED


# One receive, if there may be something: `data[0:size]`, in one of the worker's buffers until the next call on any
# side. RELAY_WAITING with no bytes: nothing is there for now. With bytes, whatever follows them is told by the next
# call. Otherwise RELAY_ENDED, RELAY_SOURCE_FAILED, RELAY_TRUNCATED, RELAY_TLS_FAILED or RELAY_NO_MEMORY.
cdef RelayStatus side_receive(
    CoreC* core, SideC* side, size_t limit, const uint8_t** data, size_t* size
) noexcept nogil

# Whether side_receive could bring something without a new event.
cdef inline bint side_has_input(const SideC* side) noexcept nogil:
    if side.flags & SIDE_ENDED:
        return False
    return side.flags & SIDE_READABLE != 0 or (side.tls != NULL and side.tls.flags & TLS_BUFFERED != 0)

# Send these bytes, and keep those that the side does not take: RELAY_WAITING when it took all, RELAY_BLOCKED,
# RELAY_SINK_FAILED or RELAY_NO_MEMORY.
cdef inline RelayStatus side_send(CoreC* core, SideC* side, const uint8_t* data, size_t size) noexcept nogil:
    return relay_send(core, side, data, size) if side.tls == NULL else side_send_records(core, side, data, size)

# The same for a side that speaks TLS.
cdef RelayStatus side_send_records(CoreC* core, SideC* side, const uint8_t* data, size_t size) noexcept nogil

# Send what it has kept; so too.
cdef RelayStatus side_flush(CoreC* core, SideC* side) noexcept nogil

# Our stream to it ends, once all has been sent: close_notify, and a half-close.
cdef void side_end(CoreC* core, SideC* side) noexcept nogil

# Take in what an event says. True when it says that the other end can neither send nor be sent to any more.
cdef inline bint side_event(SideC* side, uint32_t events) noexcept nogil:
    if events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI):
        if not side.flags & SIDE_ENDED:
            side.flags |= SIDE_READABLE | SIDE_UNTIL_EMPTY
    elif events & EPOLLIN:
        side.flags |= side.input_flags
    if events & EPOLLERR:
        side.flags |= SIDE_FAILED
    if events & EPOLLOUT:
        side.flags &= ~<uint32_t>SIDE_BLOCKED
    return events & (EPOLLHUP | EPOLLERR) != 0

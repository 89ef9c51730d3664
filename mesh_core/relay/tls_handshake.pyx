"""A TLS handshake on one side; the contract stands in tls_handshake.pxd."""

from libc.stdint cimport uint32_t
from mesh_core.includes.linux cimport EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLRDHUP
from mesh_core.includes.socket cimport recv
from mesh_core.relay.relay cimport (
    RELAY_NO_MEMORY, RELAY_SINK_FAILED, RELAY_WAITING, RELAY_YIELDED, RelayStatus, relay_flush, relay_nothing_received,
)
from mesh_core.relay.side cimport SIDE_BLOCKED, SIDE_READABLE, SIDE_UNTIL_EMPTY
from mesh_core.relay.tls_relay cimport tls_relay_output
from mesh_core.runtime.memory cimport memory_alloc, memory_free
from mesh_core.runtime.reactor cimport reactor_cancel_task, reactor_queue_slow_task
from mesh_core.tls.session cimport TLS_DONE, TLS_FAILED, tls_create, tls_feed, tls_handshake

cdef enum:
    RECEIVE_BYTES = 16384      # in one step; a flight of the handshake is a few thousand


cdef void handshake_begin(
    CoreC* core, SideC* side, const TlsContextC* context, SSL_SESSION** kept, void* owner, handshake_done_fn done
) noexcept nogil:
    cdef HandshakeC* handshake = <HandshakeC*>memory_alloc(sizeof(HandshakeC))
    side.tls = tls_create(context, kept)
    side.handshake = handshake
    if side.tls == NULL or handshake == NULL:
        done(owner, HANDSHAKE_NO_MEMORY)
        return
    handshake.core = core
    handshake.side = side
    handshake.owner = owner
    handshake.done = done
    handshake.task.owner = handshake
    handshake.task.run = on_step
    side.source.owner = handshake
    side.source.on_event = on_event
    # A PROXY header may stand in front.
    if side.queue.size and relay_flush(core, side) == RELAY_SINK_FAILED:
        finish(handshake, HANDSHAKE_CUT)
    elif not context.server or side.flags & SIDE_READABLE:
        reactor_queue_slow_task(&core.reactor, &handshake.task)


cdef void handshake_cancel(CoreC* core, SideC* side) noexcept nogil:
    if side.handshake != NULL:
        reactor_cancel_task(&core.reactor, &side.handshake.task)
        memory_free(side.handshake)
        side.handshake = NULL


cdef void finish(HandshakeC* handshake, int result) noexcept nogil:
    cdef void* owner = handshake.owner
    cdef handshake_done_fn done = handshake.done
    handshake.side.source.owner = owner
    handshake_cancel(handshake.core, handshake.side)
    done(owner, result)


cdef void on_event(void* owner, uint32_t events) noexcept nogil:
    cdef HandshakeC* handshake = <HandshakeC*>owner
    cdef SideC* side = handshake.side
    if events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI):
        side.flags |= SIDE_READABLE | SIDE_UNTIL_EMPTY
    elif events & EPOLLIN:
        side.flags |= side.input_flags
    if events & EPOLLOUT and side.flags & SIDE_BLOCKED:
        side.flags &= ~SIDE_BLOCKED
        if relay_flush(handshake.core, side) == RELAY_SINK_FAILED:
            finish(handshake, HANDSHAKE_CUT)
            return
    if side.flags & SIDE_READABLE:
        reactor_queue_slow_task(&handshake.core.reactor, &handshake.task)


cdef void on_step(void* owner) noexcept nogil:
    """Take in what has come, compute, send the answer."""
    cdef HandshakeC* handshake = <HandshakeC*>owner
    cdef SideC* side = handshake.side
    cdef CoreC* core = handshake.core
    cdef RelayStatus status = receive(core, side)
    cdef int result
    if status != RELAY_WAITING:
        finish(handshake, HANDSHAKE_NO_MEMORY if status == RELAY_NO_MEMORY else HANDSHAKE_CUT)
        return
    result = tls_handshake(side.tls)
    status = tls_relay_output(core, side)
    if status == RELAY_NO_MEMORY:
        finish(handshake, HANDSHAKE_NO_MEMORY)
    elif result == TLS_FAILED:
        finish(handshake, HANDSHAKE_FAILED)
    elif status == RELAY_SINK_FAILED:
        finish(handshake, HANDSHAKE_CUT)
    elif result == TLS_DONE:
        finish(handshake, HANDSHAKE_DONE)
    elif side.flags & SIDE_READABLE:
        reactor_queue_slow_task(&core.reactor, &handshake.task)


cdef RelayStatus receive(CoreC* core, SideC* side) noexcept nogil:
    """Feed one receive to the session: RELAY_WAITING, also when there was nothing to receive."""
    cdef RelayStatus status
    cdef ssize_t received
    if not side.flags & SIDE_READABLE:
        return RELAY_WAITING
    received = recv(side.source.fd, core.scratch, RECEIVE_BYTES, 0)
    if received <= 0:
        status = relay_nothing_received(side, received)
        return RELAY_WAITING if status == RELAY_YIELDED else status
    if received < RECEIVE_BYTES and not side.flags & SIDE_UNTIL_EMPTY:
        side.flags &= ~SIDE_READABLE
    return RELAY_WAITING if tls_feed(side.tls, core.scratch, received) else RELAY_NO_MEMORY

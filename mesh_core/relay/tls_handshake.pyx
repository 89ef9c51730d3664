"""A TLS handshake on one side; the contract stands in tls_handshake.pxd."""

from libc.stdint cimport uint32_t
from mesh_core.includes.linux cimport EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLRDHUP
from mesh_core.includes.socket cimport recv
from mesh_core.relay.connection cimport connection_out_of_memory
from mesh_core.relay.relay cimport (
    RELAY_NO_MEMORY, RELAY_SINK_FAILED, RELAY_WAITING, RELAY_YIELDED, SIDE_BLOCKED, SIDE_READABLE,
    SIDE_UNTIL_EMPTY, RelayStatus, relay_flush, relay_nothing_received,
)
from mesh_core.relay.tls_relay cimport tls_relay_output
from mesh_core.runtime.core cimport CoreC
from mesh_core.runtime.reactor cimport reactor_queue_slow_task
from mesh_core.tls.session cimport TLS_DONE, TLS_FAILED, tls_create, tls_feed, tls_handshake

cdef enum:
    RECEIVE_BYTES = 16384      # in one step; a flight of the handshake is a few thousand


cdef void handshake_begin(
    ConnectionC* connection, SideC* side, const TlsContextC* context, SSL_SESSION** kept
) noexcept nogil:
    side.tls = tls_create(context, kept)
    if side.tls == NULL:
        connection_out_of_memory(connection)
        return
    connection.handshaking = side
    connection.task.run = on_step
    side.source.on_event = on_event
    # A PROXY header may stand in front.
    if side.queue.size and relay_flush(connection.table.core, side) == RELAY_SINK_FAILED:
        connection.handshake_done(connection, HANDSHAKE_CUT)
    elif not context.server or side.flags & SIDE_READABLE:
        reactor_queue_slow_task(&connection.table.core.reactor, &connection.task)


cdef void on_event(void* owner, uint32_t events) noexcept nogil:
    cdef ConnectionC* connection = <ConnectionC*>owner
    cdef SideC* side = connection.handshaking
    if events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI):
        side.flags |= SIDE_READABLE | SIDE_UNTIL_EMPTY
    elif events & EPOLLIN:
        side.flags |= side.input_flags
    if events & EPOLLOUT and side.flags & SIDE_BLOCKED:
        side.flags &= ~SIDE_BLOCKED
        if relay_flush(connection.table.core, side) == RELAY_SINK_FAILED:
            connection.handshake_done(connection, HANDSHAKE_CUT)
            return
    if side.flags & SIDE_READABLE:
        reactor_queue_slow_task(&connection.table.core.reactor, &connection.task)


cdef void on_step(void* owner) noexcept nogil:
    """Take in what has come, compute, send the answer."""
    cdef ConnectionC* connection = <ConnectionC*>owner
    cdef SideC* side = connection.handshaking
    cdef CoreC* core = connection.table.core
    cdef RelayStatus status = receive(core, side)
    cdef int result
    if status == RELAY_NO_MEMORY:
        connection_out_of_memory(connection)
        return
    if status != RELAY_WAITING:
        connection.handshake_done(connection, HANDSHAKE_CUT)
        return
    result = tls_handshake(side.tls)
    status = tls_relay_output(core, side)
    if status == RELAY_NO_MEMORY:
        connection_out_of_memory(connection)
    elif result == TLS_FAILED:
        connection.handshake_done(connection, HANDSHAKE_FAILED)
    elif status == RELAY_SINK_FAILED:
        connection.handshake_done(connection, HANDSHAKE_CUT)
    elif result == TLS_DONE:
        connection.handshake_done(connection, HANDSHAKE_DONE)
    elif side.flags & SIDE_READABLE:
        reactor_queue_slow_task(&core.reactor, &connection.task)


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

"""The last phase of a connection; the contract stands in lingering.pxd."""

from libc.stdint cimport uint32_t
from mesh_core.includes.linux cimport EAGAIN, EPOLLERR, EPOLLHUP, errno
from mesh_core.includes.socket cimport SHUT_WR, recv, shutdown
from mesh_core.relay.connection cimport connection_abort, connection_close
from mesh_core.relay.relay cimport RELAY_BLOCKED, RELAY_WAITING, RelayStatus
from mesh_core.relay.side cimport SIDE_BLOCKED, SIDE_SHUT
from mesh_core.relay.transport cimport side_end, side_flush
from mesh_core.runtime.core cimport SCRATCH_BYTES
from mesh_core.runtime.reactor cimport reactor_set_timer

cdef enum:
    LINGER_MS = 1000
    DROP_ROUNDS = 16           # receives in one event


cdef void connection_linger(ConnectionC* connection) noexcept nogil:
    connection.downstream.source.on_event = on_event
    connection.timer.fire = on_lingered
    wait(connection)
    if not connection.downstream.flags & SIDE_BLOCKED:
        on_event(connection, 0)


cdef void wait(ConnectionC* connection) noexcept nogil:
    reactor_set_timer(&connection.table.core.reactor, &connection.timer,
                      connection.table.core.reactor.now_ms + LINGER_MS)


cdef void on_event(void* owner, uint32_t events) noexcept nogil:
    cdef ConnectionC* connection = <ConnectionC*>owner
    cdef RelayStatus status
    if events & (EPOLLERR | EPOLLHUP):
        on_lingered(owner)
        return
    if not connection.downstream.flags & SIDE_SHUT:
        connection.downstream.flags &= ~<uint32_t>SIDE_BLOCKED
        status = side_flush(connection.table.core, &connection.downstream)
        if status == RELAY_BLOCKED:
            wait(connection)
            return
        if status != RELAY_WAITING:
            on_lingered(owner)
            return
        end(connection)
    drop(connection)


cdef void end(ConnectionC* connection) noexcept nogil:
    """Our stream ends; where the connection failed, without the end of TLS: nobody must take it for a good one."""
    if connection.flags:
        connection.downstream.flags |= SIDE_SHUT
        shutdown(connection.downstream.source.fd, SHUT_WR)
    else:
        side_end(connection.table.core, &connection.downstream)


cdef void drop(ConnectionC* connection) noexcept nogil:
    """Drop what has come, so that the peer's end can be seen behind it."""
    cdef ssize_t received = 1
    cdef int _round
    for _round in range(DROP_ROUNDS):
        received = recv(connection.downstream.source.fd, connection.table.core.scratch, SCRATCH_BYTES, 0)
        if received <= 0:
            break
    if received == 0 or (received < 0 and errno != EAGAIN):
        on_lingered(connection)


cdef void on_lingered(void* owner) noexcept nogil:
    cdef ConnectionC* connection = <ConnectionC*>owner
    if connection.flags:
        connection_abort(connection, 0, connection.detail)
    else:
        connection_close(connection)

"""The PROXY protocol header of a downstream; the contract stands in proxy_header.pxd."""

from libc.stdint cimport uint16_t, uint32_t
from mesh_core.includes.linux cimport EAGAIN, EINTR, EPOLLERR, EPOLLHUP, EPOLLRDHUP, errno
from mesh_core.includes.socket cimport MSG_PEEK, recv
from mesh_core.net.proxy_protocol cimport (
    PROXY_INCOMPLETE, PROXY_V2_LIMIT, ProxyHeaderC, proxy_protocol_parse,
)
from mesh_core.relay.connection cimport connection_abort, connection_watch
from mesh_core.downstream.filter_chain cimport connection_choose_chain
from mesh_core.relay.side cimport SIDE_READABLE, SIDE_UNTIL_EMPTY
from mesh_core.runtime.core cimport CoreC
from mesh_core.runtime.reactor cimport reactor_set_timer
from mesh_core.telemetry.response_flags cimport (
    DETAIL_DOWNSTREAM_RESET, DETAIL_PROXY_HEADER_MALFORMED, DETAIL_PROXY_HEADER_MISSING,
    DETAIL_PROXY_HEADER_TIMEOUT, FLAG_DOWNSTREAM_CONNECTION_TERMINATION, FLAG_DOWNSTREAM_PROTOCOL_ERROR,
)
from mesh_core.telemetry.stats cimport LISTENER_CX_RESET, LISTENER_PROXY_ERROR, LISTENER_PROXY_TIMEOUT


cdef void connection_await_proxy_header(ConnectionC* connection) noexcept nogil:
    cdef CoreC* core = connection.table.core
    connection.downstream.source.on_event = on_input
    connection.timer.fire = on_late
    reactor_set_timer(&core.reactor, &connection.timer, core.reactor.now_ms + connection.listener.proxy_timeout_ms)
    connection_watch(connection, &connection.downstream)


cdef void on_input(void* owner, uint32_t events) noexcept nogil:
    """Look at what has come, and take the header out of the socket once all of it is there."""
    cdef ConnectionC* connection = <ConnectionC*>owner
    cdef CoreC* core = connection.table.core
    cdef ProxyHeaderC header
    cdef ssize_t seen = -1
    cdef int length
    if not events & EPOLLERR:
        seen = look(connection, PROXY_V2_LIMIT, MSG_PEEK)
        if seen < 0 and errno == EAGAIN:
            return
    if seen < 0:
        # Whoever it was has gone already: no upstream need hear of it.
        connection.listener.stats[core.index][LISTENER_CX_RESET] += 1
        connection_abort(connection, FLAG_DOWNSTREAM_CONNECTION_TERMINATION, DETAIL_DOWNSTREAM_RESET)
        return
    length = proxy_protocol_parse(core.scratch, seen, &header)
    if length == PROXY_INCOMPLETE:
        if seen == 0 or events & (EPOLLRDHUP | EPOLLHUP):
            refuse(connection, LISTENER_PROXY_ERROR, DETAIL_PROXY_HEADER_MISSING)
    elif length < 0:
        refuse(connection, LISTENER_PROXY_ERROR, DETAIL_PROXY_HEADER_MALFORMED)
    else:
        look(connection, length, 0)
        if not header.local and header.source.family:
            connection.remote = header.source
            connection.proxied_local = header.destination
        # There may be more behind it, and its edge is gone.
        connection.downstream.flags |= SIDE_READABLE | SIDE_UNTIL_EMPTY
        connection_choose_chain(connection)


cdef ssize_t look(ConnectionC* connection, size_t size, int flags) noexcept nogil:
    """Receive into the scratch buffer."""
    cdef ssize_t received = recv(connection.downstream.source.fd, connection.table.core.scratch, size, flags)
    while received < 0 and errno == EINTR:
        received = recv(connection.downstream.source.fd, connection.table.core.scratch, size, flags)
    return received


cdef void on_late(void* owner) noexcept nogil:
    refuse(<ConnectionC*>owner, LISTENER_PROXY_TIMEOUT, DETAIL_PROXY_HEADER_TIMEOUT)


cdef void refuse(ConnectionC* connection, int statistic, uint16_t detail) noexcept nogil:
    connection.listener.stats[connection.table.core.index][statistic] += 1
    connection_abort(connection, FLAG_DOWNSTREAM_PROTOCOL_ERROR, detail)

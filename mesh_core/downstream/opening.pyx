"""The beginning of a connection; the contract stands in opening.pxd."""

from mesh_core.includes.atomic cimport load_relaxed_u32
from mesh_core.net.address cimport peer_address_from
from mesh_core.net.sockets cimport socket_close_reset
from mesh_core.relay.connection cimport ConnectionC, connection_abort, connection_create
from mesh_core.downstream.filter_chain cimport connection_choose_chain
from mesh_core.downstream.proxy_header cimport connection_await_proxy_header
from mesh_core.runtime.core cimport CoreC
from mesh_core.snapshot.overload_state cimport OVERLOAD_REFUSE_CONNECTIONS
from mesh_core.snapshot.shared_count cimport shared_count_enter, shared_count_leave
from mesh_core.telemetry.response_flags cimport DETAIL_CONNECTION_LIMIT, DETAIL_OVERLOAD, FLAG_OVERLOAD
from mesh_core.telemetry.stats cimport LISTENER_CX_OVERFLOW, LISTENER_CX_OVERLOAD, SERVER_MEMORY_EXHAUSTED


cdef void connection_accept(
    ConnectionTableC* table, SnapshotC* snapshot, const ListenerC* listener, int fd, const sockaddr_storage* remote
) noexcept nogil:
    cdef CoreC* core = table.core
    cdef ConnectionC* connection = connection_create(table, snapshot, listener, fd)
    if connection == NULL:
        core.stats[SERVER_MEMORY_EXHAUSTED] += 1
        socket_close_reset(fd)
        return
    peer_address_from(&connection.remote, remote)
    if load_relaxed_u32(snapshot.overload) & OVERLOAD_REFUSE_CONNECTIONS:
        listener.stats[core.index][LISTENER_CX_OVERLOAD] += 1
        connection_abort(connection, FLAG_OVERLOAD, DETAIL_OVERLOAD)
    elif not admit(connection):
        listener.stats[core.index][LISTENER_CX_OVERFLOW] += 1
        connection_abort(connection, FLAG_OVERLOAD, DETAIL_CONNECTION_LIMIT)
    elif listener.accept_proxy_protocol:
        connection_await_proxy_header(connection)
    else:
        connection_choose_chain(connection)


cdef bint admit(ConnectionC* connection) noexcept nogil:
    """Take a place under the listener's and the process's connection limits."""
    if not shared_count_enter(connection.listener.active, connection.listener.max_connections):
        return False
    if not shared_count_enter(connection.snapshot.active, connection.snapshot.max_connections):
        shared_count_leave(connection.listener.active)
        return False
    connection.counted = True
    return True

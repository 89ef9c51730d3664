"""Waiting for the upstream; the contract stands in awaiting_upstream.pxd."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from mesh_core.includes.linux cimport EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLRDHUP
from mesh_core.net.address cimport PeerAddressC
from mesh_core.net.proxy_protocol cimport proxy_protocol_write
from mesh_core.net.sockets cimport socket_local_address
from mesh_core.relay.connecting cimport upstream_open
from mesh_core.relay.connection cimport connection_abort, connection_watch
from mesh_core.relay.open_connection cimport connection_opened
from mesh_core.relay.side cimport SIDE_BLOCKED, SIDE_READABLE, SIDE_UNTIL_EMPTY
from mesh_core.runtime.reactor cimport reactor_cancel_timer
from mesh_core.telemetry.response_flags cimport DETAIL_DOWNSTREAM_RESET, FLAG_DOWNSTREAM_CONNECTION_TERMINATION
from mesh_core.telemetry.stats cimport LISTENER_CX_RESET
from mesh_core.upstream.hashing cimport hash_address


cdef void connection_connect(ConnectionC* connection) noexcept nogil:
    cdef bint watched = connection.downstream.source.on_event != NULL
    reactor_cancel_timer(&connection.table.core.reactor, &connection.timer)
    connection.downstream.source.on_event = on_early_downstream
    if not watched and not connection_watch(connection, &connection.downstream):
        return
    connection.upstream.opened = on_opened
    connection.upstream.failed = on_failed
    if connection.cluster.send_proxy_protocol:
        connection.upstream.preface = write_proxy_header
    connection.upstream.hashed = hash_address(&connection.remote, &connection.upstream.hash)
    connection.upstream.subset = connection.chain.subset
    upstream_open(&connection.upstream, connection.cluster)


cdef void on_early_downstream(void* owner, uint32_t events) noexcept nogil:
    """The downstream speaks, or goes, before the upstream is connected."""
    cdef ConnectionC* connection = <ConnectionC*>owner
    if events & EPOLLOUT:
        # What a handshake has left is sent with the first bytes.
        connection.downstream.flags &= ~<uint32_t>SIDE_BLOCKED
    if events & EPOLLERR:
        connection.listener.stats[connection.table.core.index][LISTENER_CX_RESET] += 1
        connection_abort(connection, FLAG_DOWNSTREAM_CONNECTION_TERMINATION, DETAIL_DOWNSTREAM_RESET)
    elif events & (EPOLLRDHUP | EPOLLHUP | EPOLLPRI):
        connection.downstream.flags |= SIDE_READABLE | SIDE_UNTIL_EMPTY
    elif events & EPOLLIN:
        connection.downstream.flags |= connection.downstream.input_flags


cdef void on_opened(void* owner) noexcept nogil:
    connection_opened(<ConnectionC*>owner)


cdef void on_failed(void* owner, uint32_t flags, uint16_t detail) noexcept nogil:
    connection_abort(<ConnectionC*>owner, flags, detail)


cdef size_t write_proxy_header(void* owner, uint8_t* out) noexcept nogil:
    cdef ConnectionC* connection = <ConnectionC*>owner
    cdef PeerAddressC local
    if connection.proxied_local.family:
        local = connection.proxied_local
    else:
        socket_local_address(connection.downstream.source.fd, &local)
    return proxy_protocol_write(out, connection.cluster.send_proxy_protocol, &connection.remote, &local)

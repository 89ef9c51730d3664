"""The choice of a filter chain; the contract stands in filter_chain.pxd."""

from libc.stdint cimport uint16_t, uint32_t
from mesh_core.includes.linux cimport EAGAIN, EINTR, EPOLLERR, EPOLLHUP, EPOLLRDHUP, errno
from mesh_core.includes.socket cimport MSG_PEEK, recv
from mesh_core.net.address cimport PeerAddressC, address_is_wildcard
from mesh_core.net.sockets cimport socket_local_address
from mesh_core.downstream.serving cimport connection_serve
from mesh_core.relay.connection cimport connection_abort, connection_watch
from mesh_core.downstream.tls cimport connection_accept_tls
from mesh_core.relay.side cimport SIDE_READABLE, SIDE_UNTIL_EMPTY
from mesh_core.runtime.core cimport CoreC
from mesh_core.runtime.reactor cimport reactor_set_timer
from mesh_core.snapshot.filter_chain_table cimport FilterChainTableC, filter_chain_find
from mesh_core.snapshot.tables cimport FilterChainC
from mesh_core.telemetry.response_flags cimport (
    DETAIL_CLIENT_HELLO_CUT, DETAIL_CLIENT_HELLO_MALFORMED, DETAIL_CLIENT_HELLO_OVERSIZED,
    DETAIL_CLIENT_HELLO_TIMEOUT, DETAIL_DOWNSTREAM_RESET, DETAIL_NO_FILTER_CHAIN,
    FLAG_DOWNSTREAM_CONNECTION_TERMINATION, FLAG_DOWNSTREAM_PROTOCOL_ERROR, FLAG_NO_ROUTE,
)
from mesh_core.telemetry.stats cimport (
    LISTENER_CX_RESET, LISTENER_HELLO_ERROR, LISTENER_HELLO_TIMEOUT, LISTENER_NO_FILTER_CHAIN,
)
from mesh_core.tls.client_hello cimport (
    CLIENT_HELLO_COMPLETE, CLIENT_HELLO_INCOMPLETE, CLIENT_HELLO_NOT_TLS, CLIENT_HELLO_OVERSIZED,
    CLIENT_HELLO_WIRE_LIMIT, ClientHelloC, client_hello_parse,
)


cdef void connection_choose_chain(ConnectionC* connection) noexcept nogil:
    cdef const FilterChainTableC* table = connection.listener.chain_table
    if table == NULL:
        go_on(connection, connection.listener.fallback)
    elif table.asks_hello:
        await_hello(connection)
    else:
        choose(connection, NULL)


cdef void await_hello(ConnectionC* connection) noexcept nogil:
    cdef CoreC* core = connection.table.core
    cdef bint watched = connection.downstream.source.on_event != NULL
    connection.downstream.source.on_event = on_input
    connection.timer.fire = on_late
    reactor_set_timer(&core.reactor, &connection.timer, core.reactor.now_ms + connection.listener.inspection_timeout_ms)
    if not watched:
        connection_watch(connection, &connection.downstream)
    else:
        # It may have come behind the PROXY protocol header, whose phase has had its event.
        on_input(connection, 0)


cdef void on_input(void* owner, uint32_t events) noexcept nogil:
    """Look at what has come; a hello is judged when all of it is there, anything else by its first bytes."""
    cdef ConnectionC* connection = <ConnectionC*>owner
    cdef CoreC* core = connection.table.core
    cdef ClientHelloC hello
    cdef ssize_t seen = -1
    cdef int verdict
    if not events & EPOLLERR:
        seen = look(connection)
        if seen < 0 and errno == EAGAIN:
            return
    if seen < 0:
        connection.listener.stats[core.index][LISTENER_CX_RESET] += 1
        connection_abort(connection, FLAG_DOWNSTREAM_CONNECTION_TERMINATION, DETAIL_DOWNSTREAM_RESET)
        return
    # There may be an end behind what was seen, and its edge is gone.
    connection.downstream.flags |= SIDE_READABLE | SIDE_UNTIL_EMPTY
    verdict = client_hello_parse(core.scratch, seen, &hello)
    if verdict == CLIENT_HELLO_COMPLETE:
        choose(connection, &hello)
    elif verdict == CLIENT_HELLO_NOT_TLS:
        choose(connection, NULL)
    elif verdict != CLIENT_HELLO_INCOMPLETE:
        refuse(connection, LISTENER_HELLO_ERROR, DETAIL_CLIENT_HELLO_OVERSIZED
               if verdict == CLIENT_HELLO_OVERSIZED else DETAIL_CLIENT_HELLO_MALFORMED)
    elif seen == 0 or events & (EPOLLRDHUP | EPOLLHUP):
        refuse(connection, LISTENER_HELLO_ERROR, DETAIL_CLIENT_HELLO_CUT)


cdef ssize_t look(ConnectionC* connection) noexcept nogil:
    """Copy the beginning of what waits in the socket to the scratch buffer."""
    cdef int fd = connection.downstream.source.fd
    cdef ssize_t seen = recv(fd, connection.table.core.scratch, CLIENT_HELLO_WIRE_LIMIT, MSG_PEEK)
    while seen < 0 and errno == EINTR:
        seen = recv(fd, connection.table.core.scratch, CLIENT_HELLO_WIRE_LIMIT, MSG_PEEK)
    return seen


cdef void on_late(void* owner) noexcept nogil:
    refuse(<ConnectionC*>owner, LISTENER_HELLO_TIMEOUT, DETAIL_CLIENT_HELLO_TIMEOUT)


cdef void refuse(ConnectionC* connection, int statistic, uint16_t detail) noexcept nogil:
    connection.listener.stats[connection.table.core.index][statistic] += 1
    connection_abort(connection, FLAG_DOWNSTREAM_PROTOCOL_ERROR, detail)


cdef void choose(ConnectionC* connection, const ClientHelloC* hello) noexcept nogil:
    cdef const FilterChainTableC* table = connection.listener.chain_table
    cdef PeerAddressC destination = connection.listener.local
    cdef int index
    if connection.proxied_local.family:
        destination = connection.proxied_local
    elif table.asks_destination and address_is_wildcard(&connection.listener.local):
        socket_local_address(connection.downstream.source.fd, &destination)
    index = filter_chain_find(table, &destination, &connection.remote, hello)
    if index >= 0:
        go_on(connection, &connection.listener.chains[index])
    elif connection.listener.fallback != NULL:
        go_on(connection, connection.listener.fallback)
    else:
        connection.listener.stats[connection.table.core.index][LISTENER_NO_FILTER_CHAIN] += 1
        connection_abort(connection, FLAG_NO_ROUTE, DETAIL_NO_FILTER_CHAIN)


cdef void go_on(ConnectionC* connection, const FilterChainC* chain) noexcept nogil:
    connection.chain = chain
    connection.cluster = chain.cluster
    if chain.tls != NULL:
        connection_accept_tls(connection)
    else:
        connection_serve(connection)

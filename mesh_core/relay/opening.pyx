"""From an accepted socket to an open pair; the contract stands in opening.pxd.

The phases follow each other: admit, (read a PROXY header), connect, opened. Each sets the handlers of its sockets
and the timer; `connection_opened` then sets those of the relay.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from mesh_core.includes.linux cimport (
    EAGAIN, ECONNRESET, EINTR, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPIPE, EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT,
    EPOLLPRI, EPOLLRDHUP, ETIMEDOUT, errno,
)
from mesh_core.includes.socket cimport AF_UNIX, MSG_PEEK, recv, sockaddr_storage
from mesh_core.net.address cimport PeerAddressC, peer_address_from
from mesh_core.net.proxy_protocol cimport (
    PROXY_INCOMPLETE, PROXY_V2_LIMIT, ProxyHeaderC, proxy_protocol_parse, proxy_protocol_write,
)
from mesh_core.net.sockets cimport socket_close_reset, socket_connect, socket_local_address
from mesh_core.relay.connection cimport (
    ConnectionC, connection_abort, connection_create, connection_opened, connection_out_of_memory,
)
from mesh_core.relay.relay cimport SIDE_FAILED, SIDE_READABLE, SIDE_UNTIL_EMPTY, SideC, side_input_flags
from mesh_core.runtime.byte_queue cimport byte_queue_append, byte_queue_clear, byte_queue_peek
from mesh_core.runtime.clock cimport monotonic_us
from mesh_core.runtime.core cimport CoreC
from mesh_core.runtime.reactor cimport reactor_set_timer, reactor_watch
from mesh_core.runtime.timers cimport TICK_MS
from mesh_core.snapshot.shared_count cimport shared_count_enter, shared_count_leave
from mesh_core.snapshot.tables cimport EndpointC
from mesh_core.telemetry.response_flags cimport (
    DETAIL_CONNECT_FAILED, DETAIL_CONNECT_TIMEOUT, DETAIL_CONNECTION_LIMIT, DETAIL_DOWNSTREAM_RESET,
    DETAIL_NO_ENDPOINT, DETAIL_OUT_OF_DESCRIPTORS, DETAIL_PROXY_HEADER_MALFORMED,
    DETAIL_PROXY_HEADER_MISSING, DETAIL_PROXY_HEADER_TIMEOUT, FLAG_DOWNSTREAM_CONNECTION_TERMINATION,
    FLAG_DOWNSTREAM_PROTOCOL_ERROR, FLAG_NO_HEALTHY_UPSTREAM, FLAG_OVERLOAD, FLAG_UPSTREAM_CONNECTION_FAILURE,
)
from mesh_core.telemetry.stats cimport (
    CLUSTER_CX_CONNECT_FAIL, CLUSTER_CX_CONNECT_TIMEOUT, CLUSTER_CX_NONE_HEALTHY, CLUSTER_CX_TOTAL,
    CLUSTER_RX_BYTES, CLUSTER_TX_BYTES, ENDPOINT_CX_CONNECT_FAIL, ENDPOINT_CX_TOTAL, LISTENER_CX_OVERFLOW,
    LISTENER_CX_RESET, LISTENER_PROXY_ERROR, LISTENER_PROXY_TIMEOUT, SERVER_CX_SHED, SERVER_MEMORY_EXHAUSTED,
)


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
    if not admit(connection):
        listener.stats[core.index][LISTENER_CX_OVERFLOW] += 1
        connection_abort(connection, FLAG_OVERLOAD, DETAIL_CONNECTION_LIMIT)
    elif listener.accept_proxy_protocol:
        await_proxy_header(connection)
    else:
        begin_connect(connection)


cdef bint admit(ConnectionC* connection) noexcept nogil:
    """Take a place under the listener's and the process's connection limits."""
    if not shared_count_enter(connection.listener.active, connection.listener.max_connections):
        return False
    if not shared_count_enter(connection.snapshot.active, connection.snapshot.max_connections):
        shared_count_leave(connection.listener.active)
        return False
    connection.counted = True
    return True


cdef bint watch(ConnectionC* connection, SideC* side) noexcept nogil:
    """Register with the reactor; False when that ended the connection (no memory, too many watches)."""
    if reactor_watch(&connection.table.core.reactor, &side.source) == 0:
        return True
    connection_out_of_memory(connection)
    return False


# --- the PROXY protocol header that a downstream must send first ---

cdef void await_proxy_header(ConnectionC* connection) noexcept nogil:
    cdef CoreC* core = connection.table.core
    connection.downstream.source.on_event = on_proxy_header
    connection.timer.fire = on_proxy_header_late
    reactor_set_timer(&core.reactor, &connection.timer, core.reactor.now_ms + connection.listener.proxy_timeout_ms)
    watch(connection, &connection.downstream)


cdef void on_proxy_header(void* owner, uint32_t events) noexcept nogil:
    """Read and judge; what follows the header is kept for the upstream."""
    cdef ConnectionC* connection = <ConnectionC*>owner
    cdef CoreC* core = connection.table.core
    cdef SideC* downstream = &connection.downstream
    cdef SideC* upstream = &connection.upstream
    cdef ProxyHeaderC header
    cdef size_t held = byte_queue_peek(&upstream.queue, core.scratch, PROXY_V2_LIMIT)
    cdef ssize_t received
    cdef int length
    if events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI):
        downstream.flags |= SIDE_UNTIL_EMPTY
    if events & EPOLLERR:
        downstream.flags |= SIDE_FAILED
    # Never more than a relayed connection may hold back, and always enough for a header.
    received = recv(downstream.source.fd, core.scratch + held, PROXY_V2_LIMIT - held, 0)
    if received < 0 and (errno == EAGAIN or errno == EINTR):
        return
    if received <= 0:
        proxy_header_missing(connection, received < 0)
        return
    length = proxy_protocol_parse(core.scratch, held + received, &header)
    if length == PROXY_INCOMPLETE:
        if byte_queue_append(&core.blocks, &upstream.queue, core.scratch + held, received) < 0:
            connection_out_of_memory(connection)
        elif downstream.flags & SIDE_UNTIL_EMPTY:
            on_proxy_header(owner, 0)
        return
    if length < 0:
        connection.listener.stats[core.index][LISTENER_PROXY_ERROR] += 1
        connection_abort(connection, FLAG_DOWNSTREAM_PROTOCOL_ERROR, DETAIL_PROXY_HEADER_MALFORMED)
        return
    if downstream.flags & SIDE_FAILED:
        # Whoever it is has gone already: no upstream need hear of it.
        proxy_header_missing(connection, True)
        return
    proxy_header_done(connection, &header, core.scratch + length, held + received - length)


cdef void proxy_header_missing(ConnectionC* connection, bint reset) noexcept nogil:
    cdef uint64_t* stats = connection.listener.stats[connection.table.core.index]
    if reset:
        stats[LISTENER_CX_RESET] += 1
        connection_abort(connection, FLAG_DOWNSTREAM_CONNECTION_TERMINATION, DETAIL_DOWNSTREAM_RESET)
    else:
        stats[LISTENER_PROXY_ERROR] += 1
        connection_abort(connection, FLAG_DOWNSTREAM_PROTOCOL_ERROR, DETAIL_PROXY_HEADER_MISSING)


cdef void proxy_header_done(
    ConnectionC* connection, const ProxyHeaderC* header, const uint8_t* rest, size_t rest_size
) noexcept nogil:
    cdef CoreC* core = connection.table.core
    if not header.local and header.source.family:
        connection.remote = header.source
        connection.proxied_local = header.destination
    byte_queue_clear(&core.blocks, &connection.upstream.queue)
    if byte_queue_append(&core.blocks, &connection.upstream.queue, rest, rest_size) < 0:
        connection_out_of_memory(connection)
        return
    connection.downstream.received += rest_size
    connection.downstream.rx_counter[0] += rest_size
    # There may be more behind what was read, and its edge is gone.
    connection.downstream.flags |= SIDE_READABLE | SIDE_UNTIL_EMPTY
    begin_connect(connection)


cdef void on_proxy_header_late(void* owner) noexcept nogil:
    cdef ConnectionC* connection = <ConnectionC*>owner
    connection.listener.stats[connection.table.core.index][LISTENER_PROXY_TIMEOUT] += 1
    connection_abort(connection, FLAG_DOWNSTREAM_PROTOCOL_ERROR, DETAIL_PROXY_HEADER_TIMEOUT)


# --- the upstream ---

cdef void begin_connect(ConnectionC* connection) noexcept nogil:
    """Pick an endpoint and connect to it."""
    cdef CoreC* core = connection.table.core
    cdef uint32_t index = core.index
    cdef uint64_t* stats = connection.cluster.stats[index]
    cdef bint watched = connection.downstream.source.on_event != NULL
    connection.endpoint = connection.cluster.balancer.pick(
        connection.cluster, connection.cluster.balancer_state[index], 0)
    if connection.endpoint == NULL:
        stats[CLUSTER_CX_NONE_HEALTHY] += 1
        connection_abort(connection, FLAG_NO_HEALTHY_UPSTREAM, DETAIL_NO_ENDPOINT)
        return
    stats[CLUSTER_CX_TOTAL] += 1
    connection.endpoint.stats[index][ENDPOINT_CX_TOTAL] += 1
    connection.upstream.input_flags = side_input_flags(connection.endpoint.address.ss_family)
    connection.upstream.rx_counter = &stats[CLUSTER_RX_BYTES]
    connection.upstream.tx_counter = &stats[CLUSTER_TX_BYTES]
    connection.connect_begun_us = monotonic_us()
    connection.downstream.source.on_event = on_early_downstream
    connection.timer.fire = on_connect_late
    reactor_set_timer(&core.reactor, &connection.timer, core.reactor.now_ms + connection.cluster.connect_timeout_ms)
    if not watched and not watch(connection, &connection.downstream):
        return
    try_connect(connection)


cdef void try_connect(ConnectionC* connection) noexcept nogil:
    cdef bint connected
    cdef const EndpointC* endpoint = connection.endpoint
    cdef int fd = socket_connect(
        &endpoint.address, endpoint.address_size, connection.snapshot.descriptor_limit, &connected)
    if fd == -EAGAIN and endpoint.address.ss_family == AF_UNIX:
        # The listener's queue is full; a Unix socket has no handshake that would wait for it.
        reactor_set_timer(&connection.table.core.reactor, &connection.timer,
                          connection.table.core.reactor.now_ms + TICK_MS)
        connection.timer.fire = on_connect_again
        return
    if fd < 0:
        connect_failed(connection, -fd)
        return
    connection.upstream.source.fd = fd
    connection.upstream.source.on_event = on_connecting
    if watch(connection, &connection.upstream) and connected:
        upstream_connected(connection)


cdef void on_connect_again(void* owner) noexcept nogil:
    cdef ConnectionC* connection = <ConnectionC*>owner
    cdef int64_t waited_ms = (monotonic_us() - connection.connect_begun_us) // 1000
    if waited_ms >= connection.cluster.connect_timeout_ms:
        on_connect_late(owner)
    else:
        try_connect(connection)


cdef void on_early_downstream(void* owner, uint32_t events) noexcept nogil:
    """The downstream speaks, or goes, before the upstream is connected."""
    cdef ConnectionC* connection = <ConnectionC*>owner
    if events & EPOLLERR:
        connection.listener.stats[connection.table.core.index][LISTENER_CX_RESET] += 1
        connection_abort(connection, FLAG_DOWNSTREAM_CONNECTION_TERMINATION, DETAIL_DOWNSTREAM_RESET)
    elif events & (EPOLLRDHUP | EPOLLHUP | EPOLLPRI):
        connection.downstream.flags |= SIDE_READABLE | SIDE_UNTIL_EMPTY
    elif events & EPOLLIN:
        connection.downstream.flags |= connection.downstream.input_flags


cdef void on_connecting(void* owner, uint32_t events) noexcept nogil:
    cdef ConnectionC* connection = <ConnectionC*>owner
    cdef int fd = connection.upstream.source.fd
    cdef int error = ECONNRESET
    if events & (EPOLLERR | EPOLLHUP):
        # A look into what it said leaves that in its place; one that fails takes the error off the socket.
        if recv(fd, connection.table.core.scratch, 1, MSG_PEEK) < 0:
            error = errno
        if error == ECONNRESET or error == EPIPE:
            # An attempt is refused, never reset: it was connected, spoke perhaps, and was reset before anyone looked.
            connection.upstream.flags |= SIDE_READABLE | SIDE_UNTIL_EMPTY | SIDE_FAILED
            upstream_connected(connection)
        else:
            connect_failed(connection, error)
    elif events & EPOLLOUT:
        if events & (EPOLLRDHUP | EPOLLPRI):
            connection.upstream.flags |= SIDE_READABLE | SIDE_UNTIL_EMPTY
        elif events & EPOLLIN:
            connection.upstream.flags |= connection.upstream.input_flags
        upstream_connected(connection)


cdef void upstream_connected(ConnectionC* connection) noexcept nogil:
    if connection.cluster.send_proxy_protocol and not prepend_proxy_header(connection):
        connection_out_of_memory(connection)
    else:
        connection_opened(connection)


cdef bint prepend_proxy_header(ConnectionC* connection) noexcept nogil:
    """Queue our own header before what the upstream shall get; False when memory is exhausted."""
    cdef CoreC* core = connection.table.core
    cdef PeerAddressC local
    cdef size_t kept, header_size
    if connection.proxied_local.family:
        local = connection.proxied_local
    else:
        socket_local_address(connection.downstream.source.fd, &local)
    header_size = proxy_protocol_write(
        core.scratch, connection.cluster.send_proxy_protocol, &connection.remote, &local)
    # At most what came behind a received header is kept already.
    kept = byte_queue_peek(&connection.upstream.queue, core.scratch + header_size, PROXY_V2_LIMIT)
    byte_queue_clear(&core.blocks, &connection.upstream.queue)
    return byte_queue_append(&core.blocks, &connection.upstream.queue, core.scratch, header_size + kept) == 0


cdef void connect_failed(ConnectionC* connection, int error) noexcept nogil:
    cdef CoreC* core = connection.table.core
    if error == EMFILE or error == ENFILE:
        core.stats[SERVER_CX_SHED] += 1
        connection_abort(connection, FLAG_OVERLOAD, DETAIL_OUT_OF_DESCRIPTORS)
        return
    if error == ENOMEM or error == ENOBUFS:
        connection_out_of_memory(connection)
        return
    connection.error = <uint16_t>error
    connection.cluster.stats[core.index][CLUSTER_CX_CONNECT_FAIL] += 1
    connection.endpoint.stats[core.index][ENDPOINT_CX_CONNECT_FAIL] += 1
    connection_abort(connection, FLAG_UPSTREAM_CONNECTION_FAILURE, DETAIL_CONNECT_FAILED)


cdef void on_connect_late(void* owner) noexcept nogil:
    cdef ConnectionC* connection = <ConnectionC*>owner
    cdef uint32_t index = connection.table.core.index
    connection.error = ETIMEDOUT
    connection.cluster.stats[index][CLUSTER_CX_CONNECT_TIMEOUT] += 1
    connection.endpoint.stats[index][ENDPOINT_CX_CONNECT_FAIL] += 1
    connection_abort(connection, FLAG_UPSTREAM_CONNECTION_FAILURE, DETAIL_CONNECT_TIMEOUT)

"""Picking an endpoint and connecting to it; the contract stands in connecting.pxd."""

from libc.stdint cimport int64_t, uint16_t, uint32_t, uint64_t
from mesh_core.includes.linux cimport (
    EADDRNOTAVAIL, EAGAIN, ECONNRESET, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPIPE, EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT,
    EPOLLPRI, EPOLLRDHUP, EPROTO, ETIMEDOUT, errno,
)
from mesh_core.includes.socket cimport AF_INET, AF_INET6, AF_UNIX, MSG_PEEK, recv
from mesh_core.net.address cimport PeerAddressC
from mesh_core.net.proxy_protocol cimport proxy_protocol_write
from mesh_core.net.sockets cimport socket_connect, socket_local_address
from mesh_core.relay.connection cimport (
    TriedC, connection_abort, connection_close_side, connection_out_of_memory, connection_watch,
)
from mesh_core.relay.open_connection cimport connection_opened
from mesh_core.relay.connect_results cimport endpoint_connected, endpoint_failed, endpoint_opened
from mesh_core.relay.relay cimport SIDE_BLOCKED, SIDE_FAILED, SIDE_READABLE, SIDE_UNTIL_EMPTY, side_input_flags
from mesh_core.relay.tls_handshake cimport HANDSHAKE_CUT, HANDSHAKE_DONE, handshake_begin
from mesh_core.relay.upstream_counts cimport (
    ADMITTED, OVER_CONNECTIONS, Admission, upstream_admit, upstream_admit_retry, upstream_attempt_begins,
    upstream_attempt_ends, upstream_opened,
)
from mesh_core.runtime.byte_queue cimport byte_queue_append
from mesh_core.runtime.clock cimport monotonic_us
from mesh_core.runtime.core cimport CoreC
from mesh_core.runtime.memory cimport memory_alloc, memory_free
from mesh_core.runtime.reactor cimport reactor_cancel_task, reactor_set_timer
from mesh_core.runtime.timers cimport TICK_MS
from mesh_core.snapshot.tables cimport EndpointC, PickContextC
from mesh_core.telemetry.response_flags cimport (
    DETAIL_CONNECT_FAILED, DETAIL_CONNECT_TIMEOUT, DETAIL_DOWNSTREAM_RESET, DETAIL_NO_ENDPOINT,
    DETAIL_OUT_OF_DESCRIPTORS, DETAIL_UPSTREAM_OVERFLOW, DETAIL_UPSTREAM_PENDING_OVERFLOW,
    FLAG_DOWNSTREAM_CONNECTION_TERMINATION, FLAG_NO_HEALTHY_UPSTREAM, FLAG_OVERLOAD, FLAG_UPSTREAM_CONNECTION_FAILURE,
    FLAG_UPSTREAM_OVERFLOW, FLAG_UPSTREAM_RETRY_LIMIT_EXCEEDED,
)
from mesh_core.telemetry.stats cimport (
    CLUSTER_CX_ATTEMPTS_EXCEEDED, CLUSTER_CX_CONNECT_FAIL, CLUSTER_CX_CONNECT_TIMEOUT, CLUSTER_CX_NONE_HEALTHY,
    CLUSTER_CX_RETRY, CLUSTER_CX_RETRY_OVERFLOW, CLUSTER_CX_RETRY_SUCCESS, CLUSTER_RX_BYTES,
    CLUSTER_TLS_CONNECTION_ERROR, CLUSTER_TLS_FAIL_VERIFY, CLUSTER_TLS_HANDSHAKE, CLUSTER_TLS_SESSION_REUSED,
    CLUSTER_TX_BYTES, ENDPOINT_CX_CONNECT_FAIL, LISTENER_CX_RESET, SERVER_CX_SHED,
)
from mesh_core.tls.openssl cimport SSL_SESSION
from mesh_core.tls.session cimport TLS_RESUMED, TlsC, tls_failure_text, tls_peer_refused
from mesh_core.upstream.hashing cimport hash_bytes, random_next
from mesh_core.upstream.pick cimport cluster_pick
from mesh_core.upstream.retry cimport retry_interval_ms


cdef void connection_connect(ConnectionC* connection) noexcept nogil:
    cdef bint watched = connection.downstream.source.on_event != NULL
    cdef Admission admission = upstream_admit(connection)
    if admission != ADMITTED:
        connection_abort(
            connection, FLAG_UPSTREAM_OVERFLOW,
            DETAIL_UPSTREAM_OVERFLOW if admission == OVER_CONNECTIONS else DETAIL_UPSTREAM_PENDING_OVERFLOW)
        return
    connection.downstream.source.on_event = on_early_downstream
    if watched or connection_watch(connection, &connection.downstream):
        attempt(connection)


cdef void attempt(ConnectionC* connection) noexcept nogil:
    """Begin an attempt, the first one or a further one, at an endpoint that was not tried yet if there is one."""
    cdef CoreC* core = connection.table.core
    cdef uint64_t* stats = connection.cluster.stats[core.index]
    cdef EndpointC* endpoint = pick_endpoint(connection)
    if endpoint == NULL:
        stats[CLUSTER_CX_NONE_HEALTHY] += 1
        connection_abort(
            connection, FLAG_NO_HEALTHY_UPSTREAM | (FLAG_UPSTREAM_CONNECTION_FAILURE if connection.attempts else 0),
            DETAIL_NO_ENDPOINT)
        return
    upstream_attempt_begins(connection, endpoint)
    connection.upstream.input_flags = side_input_flags(endpoint.address.ss_family)
    connection.upstream.rx_counter = &stats[CLUSTER_RX_BYTES]
    connection.upstream.tx_counter = &stats[CLUSTER_TX_BYTES]
    connection.connect_begun_us = monotonic_us()
    connection.upstream_failure = NULL
    connection.timer.fire = on_connect_late
    reactor_set_timer(&core.reactor, &connection.timer, core.reactor.now_ms + connection.cluster.connect_timeout_ms)
    try_connect(connection)


cdef EndpointC* pick_endpoint(ConnectionC* connection) noexcept nogil:
    cdef PickContextC context
    context.hashed = source_ip_hash(&connection.remote, &context.hash)
    context.subset = connection.chain.subset
    context.now_ms = connection.table.core.reactor.now_ms
    context.tried = NULL
    context.tried_count = 0
    if connection.tried != NULL:
        context.tried = connection.tried.endpoints
        context.tried_count = connection.tried.count
    return cluster_pick(connection.cluster, connection.table.core.index, &context)


cdef bint source_ip_hash(const PeerAddressC* remote, uint64_t* out) noexcept nogil:
    """The hash of the address without its port; False when there is none."""
    if remote.family == AF_INET:
        out[0] = hash_bytes(&remote.v4.sin_addr, sizeof(remote.v4.sin_addr), 0)
    elif remote.family == AF_INET6:
        out[0] = hash_bytes(&remote.v6.sin6_addr, sizeof(remote.v6.sin6_addr), 0)
    else:
        out[0] = 0
        return False
    return True


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
        connect_failed(connection, -fd, DETAIL_CONNECT_FAILED)
        return
    connection.upstream.source.fd = fd
    connection.upstream.source.on_event = on_connecting
    if connection_watch(connection, &connection.upstream) and connected:
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
            connect_failed(connection, error, DETAIL_CONNECT_FAILED)
    elif events & EPOLLOUT:
        if events & (EPOLLRDHUP | EPOLLPRI):
            connection.upstream.flags |= SIDE_READABLE | SIDE_UNTIL_EMPTY
        elif events & EPOLLIN:
            connection.upstream.flags |= connection.upstream.input_flags
        upstream_connected(connection)


cdef void upstream_connected(ConnectionC* connection) noexcept nogil:
    endpoint_connected(connection, monotonic_us() - connection.connect_begun_us)
    if connection.cluster.send_proxy_protocol and not prepend_proxy_header(connection):
        connection_out_of_memory(connection)
    elif connection.cluster.tls != NULL:
        originate_tls(connection)
    else:
        connect_succeeded(connection)


cdef void connect_succeeded(ConnectionC* connection) noexcept nogil:
    connection.connect_time_us = monotonic_us() - connection.connect_begun_us
    upstream_opened(connection)
    endpoint_opened(connection)
    if connection.tried != NULL:
        connection.cluster.stats[connection.table.core.index][CLUSTER_CX_RETRY_SUCCESS] += 1
        memory_free(connection.tried)
        connection.tried = NULL
    connection_opened(connection)


cdef void originate_tls(ConnectionC* connection) noexcept nogil:
    """Shake hands with the endpoint, within the time to connect."""
    cdef SSL_SESSION** sessions = connection.endpoint.tls_sessions
    connection.handshake_done = on_handshake_done
    handshake_begin(
        connection, &connection.upstream, connection.cluster.tls, &sessions[connection.table.core.index])


cdef void on_handshake_done(ConnectionC* connection, int result) noexcept nogil:
    cdef uint64_t* stats = connection.cluster.stats[connection.table.core.index]
    cdef TlsC* tls = connection.upstream.tls
    if result == HANDSHAKE_DONE:
        stats[CLUSTER_TLS_HANDSHAKE] += 1
        if tls.flags & TLS_RESUMED:
            stats[CLUSTER_TLS_SESSION_REUSED] += 1
        connect_succeeded(connection)
        return
    if tls_peer_refused(tls):
        stats[CLUSTER_TLS_FAIL_VERIFY] += 1
    else:
        stats[CLUSTER_TLS_CONNECTION_ERROR] += 1
    connection.upstream_failure = tls_failure_text(tls)
    connect_failed(connection, ECONNRESET if result == HANDSHAKE_CUT else EPROTO, DETAIL_CONNECT_FAILED)


cdef bint prepend_proxy_header(ConnectionC* connection) noexcept nogil:
    """Queue our own header before what the upstream shall get; False when memory is exhausted."""
    cdef CoreC* core = connection.table.core
    cdef PeerAddressC local
    cdef size_t size
    if connection.proxied_local.family:
        local = connection.proxied_local
    else:
        socket_local_address(connection.downstream.source.fd, &local)
    size = proxy_protocol_write(core.scratch, connection.cluster.send_proxy_protocol, &connection.remote, &local)
    return byte_queue_append(&core.blocks, &connection.upstream.queue, core.scratch, size) == 0


cdef void connect_failed(ConnectionC* connection, int error, uint16_t detail) noexcept nogil:
    cdef CoreC* core = connection.table.core
    cdef uint64_t* stats = connection.cluster.stats[core.index]
    if error == EMFILE or error == ENFILE:
        core.stats[SERVER_CX_SHED] += 1
        connection_abort(connection, FLAG_OVERLOAD, DETAIL_OUT_OF_DESCRIPTORS)
        return
    if error == ENOMEM or error == ENOBUFS:
        connection_out_of_memory(connection)
        return
    connection.error = <uint16_t>error
    stats[CLUSTER_CX_CONNECT_TIMEOUT if detail == DETAIL_CONNECT_TIMEOUT else CLUSTER_CX_CONNECT_FAIL] += 1
    connection.endpoint.stats[core.index][ENDPOINT_CX_CONNECT_FAIL] += 1
    # That no port of ours is free says nothing of the endpoint.
    if error != EADDRNOTAVAIL:
        endpoint_failed(connection)
    if connection.attempts >= connection.cluster.retry.max_attempts:
        stats[CLUSTER_CX_ATTEMPTS_EXCEEDED] += 1
        connection_abort(
            connection,
            FLAG_UPSTREAM_CONNECTION_FAILURE | (FLAG_UPSTREAM_RETRY_LIMIT_EXCEEDED if connection.attempts > 1 else 0),
            detail)
    elif not upstream_admit_retry(connection):
        stats[CLUSTER_CX_RETRY_OVERFLOW] += 1
        connection_abort(connection, FLAG_UPSTREAM_CONNECTION_FAILURE | FLAG_UPSTREAM_OVERFLOW, detail)
    else:
        wait_to_retry(connection)


cdef void wait_to_retry(ConnectionC* connection) noexcept nogil:
    """Leave the endpoint that failed, and let the back-off pass."""
    cdef CoreC* core = connection.table.core
    if connection.tried == NULL:
        connection.tried = <TriedC*>memory_alloc(sizeof(TriedC))
        if connection.tried == NULL:
            connection_out_of_memory(connection)
            return
    connection.tried.endpoints[connection.tried.count] = connection.endpoint
    connection.tried.count += 1
    reactor_cancel_task(&core.reactor, &connection.task)
    connection_close_side(connection, &connection.upstream, True)
    connection.upstream.flags = 0
    upstream_attempt_ends(connection)
    connection.timer.fire = on_retry
    reactor_set_timer(
        &core.reactor, &connection.timer,
        core.reactor.now_ms + retry_interval_ms(
            &connection.cluster.retry, connection.attempts, random_next(&core.random)))


cdef void on_retry(void* owner) noexcept nogil:
    cdef ConnectionC* connection = <ConnectionC*>owner
    connection.cluster.stats[connection.table.core.index][CLUSTER_CX_RETRY] += 1
    attempt(connection)


cdef void on_connect_late(void* owner) noexcept nogil:
    connect_failed(<ConnectionC*>owner, ETIMEDOUT, DETAIL_CONNECT_TIMEOUT)

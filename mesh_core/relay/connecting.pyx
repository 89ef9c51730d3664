"""Opening a connection to a cluster; the contract stands in connecting.pxd."""

from libc.stdint cimport int64_t, uint16_t, uint32_t, uint64_t
from mesh_core.includes.linux cimport (
    EADDRNOTAVAIL, EAGAIN, ECONNRESET, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPIPE, EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT,
    EPOLLPRI, EPOLLRDHUP, EPROTO, ETIMEDOUT, errno,
)
from mesh_core.includes.socket cimport AF_UNIX, MSG_PEEK, recv
from mesh_core.net.sockets cimport socket_connect
from mesh_core.relay.closing cimport side_close
from mesh_core.relay.connect_results cimport endpoint_connected, endpoint_failed, endpoint_opened
from mesh_core.relay.relay cimport side_input_flags
from mesh_core.relay.side cimport SIDE_FAILED, SIDE_READABLE, SIDE_UNTIL_EMPTY
from mesh_core.relay.tls_handshake cimport HANDSHAKE_CUT, HANDSHAKE_DONE, HANDSHAKE_NO_MEMORY, handshake_begin
from mesh_core.relay.upstream cimport TriedC
from mesh_core.relay.upstream_counts cimport (
    ADMITTED, OVER_CONNECTIONS, Admission, upstream_admit, upstream_admit_retry, upstream_attempt_begins,
    upstream_attempt_ends, upstream_opened,
)
from mesh_core.runtime.byte_queue cimport byte_queue_append
from mesh_core.runtime.clock cimport monotonic_us
from mesh_core.runtime.core cimport CoreC
from mesh_core.runtime.memory cimport memory_alloc, memory_free
from mesh_core.runtime.reactor cimport reactor_cancel_timer, reactor_set_timer, reactor_watch
from mesh_core.runtime.timers cimport TICK_MS
from mesh_core.snapshot.tables cimport PickContextC
from mesh_core.telemetry.response_flags cimport (
    DETAIL_CONNECT_FAILED, DETAIL_CONNECT_TIMEOUT, DETAIL_NO_ENDPOINT, DETAIL_OUT_OF_DESCRIPTORS,
    DETAIL_OUT_OF_MEMORY, DETAIL_UPSTREAM_OVERFLOW, DETAIL_UPSTREAM_PENDING_OVERFLOW, FLAG_NO_HEALTHY_UPSTREAM,
    FLAG_OVERLOAD, FLAG_UPSTREAM_CONNECTION_FAILURE, FLAG_UPSTREAM_OVERFLOW, FLAG_UPSTREAM_RETRY_LIMIT_EXCEEDED,
)
from mesh_core.telemetry.stats cimport (
    CLUSTER_CX_ATTEMPTS_EXCEEDED, CLUSTER_CX_CONNECT_FAIL, CLUSTER_CX_CONNECT_TIMEOUT, CLUSTER_CX_NONE_HEALTHY,
    CLUSTER_CX_RETRY, CLUSTER_CX_RETRY_OVERFLOW, CLUSTER_CX_RETRY_SUCCESS, CLUSTER_RX_BYTES,
    CLUSTER_TLS_CONNECTION_ERROR, CLUSTER_TLS_FAIL_VERIFY, CLUSTER_TLS_HANDSHAKE, CLUSTER_TLS_SESSION_REUSED,
    CLUSTER_TX_BYTES, ENDPOINT_CX_CONNECT_FAIL, SERVER_CX_SHED, SERVER_MEMORY_EXHAUSTED,
)
from mesh_core.tls.openssl cimport SSL_SESSION
from mesh_core.tls.session cimport TLS_RESUMED, TlsC, tls_failure_text, tls_peer_refused
from mesh_core.upstream.hashing cimport random_next
from mesh_core.upstream.pick cimport cluster_pick
from mesh_core.upstream.retry cimport retry_interval_ms


cdef void upstream_open(UpstreamC* upstream, const ClusterC* cluster) noexcept nogil:
    upstream_open_to(upstream, cluster, NULL)


cdef void upstream_open_to(UpstreamC* upstream, const ClusterC* cluster, EndpointC* endpoint) noexcept nogil:
    cdef Admission admission
    upstream.cluster = cluster
    upstream.timer.owner = upstream
    admission = upstream_admit(upstream)
    if admission == ADMITTED:
        attempt(upstream, endpoint if endpoint != NULL else pick_endpoint(upstream))
    else:
        fail(upstream, FLAG_UPSTREAM_OVERFLOW,
             DETAIL_UPSTREAM_OVERFLOW if admission == OVER_CONNECTIONS else DETAIL_UPSTREAM_PENDING_OVERFLOW)


cdef void fail(UpstreamC* upstream, uint32_t flags, uint16_t detail) noexcept nogil:
    upstream.failed(upstream.owner, flags, detail)


cdef void out_of_memory(UpstreamC* upstream) noexcept nogil:
    upstream.core.stats[SERVER_MEMORY_EXHAUSTED] += 1
    fail(upstream, FLAG_OVERLOAD, DETAIL_OUT_OF_MEMORY)


cdef void attempt(UpstreamC* upstream, EndpointC* endpoint) noexcept nogil:
    """Begin an attempt, the first one or a further one."""
    cdef CoreC* core = upstream.core
    cdef uint64_t* stats = upstream.cluster.stats[core.index]
    if endpoint == NULL:
        stats[CLUSTER_CX_NONE_HEALTHY] += 1
        fail(upstream, FLAG_NO_HEALTHY_UPSTREAM | (FLAG_UPSTREAM_CONNECTION_FAILURE if upstream.attempts else 0),
             DETAIL_NO_ENDPOINT)
        return
    upstream_attempt_begins(upstream, endpoint)
    upstream.side.input_flags = side_input_flags(endpoint.address.ss_family)
    upstream.side.rx_counter = &stats[CLUSTER_RX_BYTES]
    upstream.side.tx_counter = &stats[CLUSTER_TX_BYTES]
    upstream.connect_begun_us = monotonic_us()
    upstream.failure = NULL
    upstream.timer.fire = on_connect_late
    reactor_set_timer(&core.reactor, &upstream.timer, core.reactor.now_ms + upstream.cluster.connect_timeout_ms)
    try_connect(upstream)


cdef EndpointC* pick_endpoint(UpstreamC* upstream) noexcept nogil:
    """An endpoint that was not tried yet, if there is one."""
    cdef PickContextC context
    context.hashed = upstream.hashed
    context.hash = upstream.hash
    context.subset = upstream.subset
    context.now_ms = upstream.core.reactor.now_ms
    context.tried = NULL
    context.tried_count = 0
    if upstream.tried != NULL:
        context.tried = upstream.tried.endpoints
        context.tried_count = upstream.tried.count
    return cluster_pick(upstream.cluster, upstream.core.index, &context)


cdef void try_connect(UpstreamC* upstream) noexcept nogil:
    cdef CoreC* core = upstream.core
    cdef bint connected
    cdef const EndpointC* endpoint = upstream.endpoint
    cdef int fd = socket_connect(&endpoint.address, endpoint.address_size, core.pipes.descriptor_limit, &connected)
    if fd == -EAGAIN and endpoint.address.ss_family == AF_UNIX:
        # The listener's queue is full; a Unix socket has no handshake that would wait for it.
        reactor_set_timer(&core.reactor, &upstream.timer, core.reactor.now_ms + TICK_MS)
        upstream.timer.fire = on_connect_again
        return
    if fd < 0:
        connect_failed(upstream, -fd, DETAIL_CONNECT_FAILED)
        return
    upstream.side.source.fd = fd
    upstream.side.source.owner = upstream
    upstream.side.source.on_event = on_connecting
    if reactor_watch(&core.reactor, &upstream.side.source) != 0:
        out_of_memory(upstream)
    elif connected:
        upstream_connected(upstream)


cdef void on_connect_again(void* owner) noexcept nogil:
    cdef UpstreamC* upstream = <UpstreamC*>owner
    cdef int64_t waited_ms = (monotonic_us() - upstream.connect_begun_us) // 1000
    if waited_ms >= upstream.cluster.connect_timeout_ms:
        on_connect_late(owner)
    else:
        try_connect(upstream)


cdef void on_connecting(void* owner, uint32_t events) noexcept nogil:
    cdef UpstreamC* upstream = <UpstreamC*>owner
    cdef int fd = upstream.side.source.fd
    cdef int error = ECONNRESET
    if events & (EPOLLERR | EPOLLHUP):
        # A look into what it said leaves that in its place; one that fails takes the error off the socket.
        if recv(fd, upstream.core.scratch, 1, MSG_PEEK) < 0:
            error = errno
        if error == ECONNRESET or error == EPIPE:
            # An attempt is refused, never reset: it was connected, spoke perhaps, and was reset before anyone looked.
            upstream.side.flags |= SIDE_READABLE | SIDE_UNTIL_EMPTY | SIDE_FAILED
            upstream_connected(upstream)
        else:
            connect_failed(upstream, error, DETAIL_CONNECT_FAILED)
    elif events & EPOLLOUT:
        if events & (EPOLLRDHUP | EPOLLPRI):
            upstream.side.flags |= SIDE_READABLE | SIDE_UNTIL_EMPTY
        elif events & EPOLLIN:
            upstream.side.flags |= upstream.side.input_flags
        upstream_connected(upstream)


cdef void upstream_connected(UpstreamC* upstream) noexcept nogil:
    if not upstream.requests:
        endpoint_connected(upstream, monotonic_us() - upstream.connect_begun_us)
    if upstream.preface != NULL and not send_preface(upstream):
        out_of_memory(upstream)
    elif upstream.cluster.tls != NULL:
        originate_tls(upstream)
    else:
        connect_succeeded(upstream)


cdef void connect_succeeded(UpstreamC* upstream) noexcept nogil:
    upstream.connect_time_us = monotonic_us() - upstream.connect_begun_us
    upstream_opened(upstream)
    endpoint_opened(upstream)
    if upstream.tried != NULL:
        upstream.cluster.stats[upstream.core.index][CLUSTER_CX_RETRY_SUCCESS] += 1
        memory_free(upstream.tried)
        upstream.tried = NULL
    reactor_cancel_timer(&upstream.core.reactor, &upstream.timer)
    upstream.side.source.owner = upstream.owner
    upstream.opened(upstream.owner)


cdef void originate_tls(UpstreamC* upstream) noexcept nogil:
    """Shake hands with the endpoint, within the time to connect."""
    cdef SSL_SESSION** sessions = upstream.endpoint.tls_sessions
    handshake_begin(
        upstream.core, &upstream.side, upstream.cluster.tls, &sessions[upstream.core.index], upstream,
        on_handshake_done)


cdef void on_handshake_done(void* owner, int result) noexcept nogil:
    cdef UpstreamC* upstream = <UpstreamC*>owner
    cdef uint64_t* stats = upstream.cluster.stats[upstream.core.index]
    cdef TlsC* tls = upstream.side.tls
    if result == HANDSHAKE_DONE:
        stats[CLUSTER_TLS_HANDSHAKE] += 1
        if tls.flags & TLS_RESUMED:
            stats[CLUSTER_TLS_SESSION_REUSED] += 1
        connect_succeeded(upstream)
        return
    if result == HANDSHAKE_NO_MEMORY:
        out_of_memory(upstream)
        return
    if tls_peer_refused(tls):
        stats[CLUSTER_TLS_FAIL_VERIFY] += 1
    else:
        stats[CLUSTER_TLS_CONNECTION_ERROR] += 1
    upstream.failure = tls_failure_text(tls)
    connect_failed(upstream, ECONNRESET if result == HANDSHAKE_CUT else EPROTO, DETAIL_CONNECT_FAILED)


cdef bint send_preface(UpstreamC* upstream) noexcept nogil:
    """Queue it before what the upstream shall get; False when memory is exhausted."""
    cdef CoreC* core = upstream.core
    cdef size_t size = upstream.preface(upstream.owner, core.scratch)
    return byte_queue_append(&core.blocks, &upstream.side.queue, core.scratch, size) == 0


cdef void connect_failed(UpstreamC* upstream, int error, uint16_t detail) noexcept nogil:
    cdef CoreC* core = upstream.core
    cdef uint64_t* stats = upstream.cluster.stats[core.index]
    if error == EMFILE or error == ENFILE:
        core.stats[SERVER_CX_SHED] += 1
        fail(upstream, FLAG_OVERLOAD, DETAIL_OUT_OF_DESCRIPTORS)
        return
    if error == ENOMEM or error == ENOBUFS:
        out_of_memory(upstream)
        return
    upstream.error = <uint16_t>error
    stats[CLUSTER_CX_CONNECT_TIMEOUT if detail == DETAIL_CONNECT_TIMEOUT else CLUSTER_CX_CONNECT_FAIL] += 1
    upstream.endpoint.stats[core.index][ENDPOINT_CX_CONNECT_FAIL] += 1
    # That no port of ours is free says nothing of the endpoint.
    if error != EADDRNOTAVAIL:
        endpoint_failed(upstream)
    if upstream.requests:
        # Whether there is another attempt is for the request to say.
        fail(upstream, FLAG_UPSTREAM_CONNECTION_FAILURE, detail)
    elif upstream.attempts >= upstream.cluster.retry.max_attempts:
        stats[CLUSTER_CX_ATTEMPTS_EXCEEDED] += 1
        fail(
            upstream,
            FLAG_UPSTREAM_CONNECTION_FAILURE | (FLAG_UPSTREAM_RETRY_LIMIT_EXCEEDED if upstream.attempts > 1 else 0),
            detail)
    elif not upstream_admit_retry(upstream):
        stats[CLUSTER_CX_RETRY_OVERFLOW] += 1
        fail(upstream, FLAG_UPSTREAM_CONNECTION_FAILURE | FLAG_UPSTREAM_OVERFLOW, detail)
    else:
        wait_to_retry(upstream)


cdef void wait_to_retry(UpstreamC* upstream) noexcept nogil:
    """Leave the endpoint that failed, and let the back-off pass."""
    cdef CoreC* core = upstream.core
    if upstream.tried == NULL:
        upstream.tried = <TriedC*>memory_alloc(sizeof(TriedC))
        if upstream.tried == NULL:
            out_of_memory(upstream)
            return
    upstream.tried.endpoints[upstream.tried.count] = upstream.endpoint
    upstream.tried.count += 1
    side_close(core, &upstream.side, True)
    upstream.side.flags = 0
    upstream_attempt_ends(upstream)
    upstream.timer.fire = on_retry
    reactor_set_timer(
        &core.reactor, &upstream.timer,
        core.reactor.now_ms + retry_interval_ms(
            &upstream.cluster.retry, upstream.attempts, random_next(&core.random)))


cdef void on_retry(void* owner) noexcept nogil:
    cdef UpstreamC* upstream = <UpstreamC*>owner
    upstream.cluster.stats[upstream.core.index][CLUSTER_CX_RETRY] += 1
    attempt(upstream, pick_endpoint(upstream))


cdef void on_connect_late(void* owner) noexcept nogil:
    connect_failed(<UpstreamC*>owner, ETIMEDOUT, DETAIL_CONNECT_TIMEOUT)

"""Connections that carry requests; the contract stands in pool.pxd."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from mesh_core.http.input cimport input_clear
from mesh_core.http.stream cimport STREAM_REPEATABLE
from mesh_core.http.waiting cimport waiting_wake
from mesh_core.includes.atomic cimport load_relaxed_u32
from mesh_core.includes.likely cimport unlikely
from mesh_core.includes.linux cimport EAGAIN, EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLPRI, EPOLLRDHUP, errno
from mesh_core.includes.socket cimport MSG_PEEK, recv
from mesh_core.relay.connecting cimport upstream_open_to
from mesh_core.relay.side cimport (
    SIDE_ENDED, SIDE_FAILED, SIDE_READABLE, SIDE_UNTIL_EMPTY, SideC, side_wire_sent,
)
from mesh_core.relay.transport cimport side_event, side_has_input
from mesh_core.relay.upstream cimport upstream_close, upstream_init
from mesh_core.relay.upstream_counts cimport COUNTED_CONNECTION
from mesh_core.runtime.core cimport CoreC
from mesh_core.runtime.memory cimport memory_alloc, memory_free
from mesh_core.runtime.reactor cimport reactor_cancel_task, reactor_is_pending, reactor_retire, reactor_set_timer
from mesh_core.runtime.timers cimport TICK_MS
from mesh_core.snapshot.http_settings cimport ClusterHttpC
from mesh_core.snapshot.tables cimport ClusterC, IdleClientsC
from mesh_core.telemetry.stats cimport (
    CLUSTER_CX_IDLE_ENDED, CLUSTER_CX_IDLE_LEARNED, CLUSTER_CX_IDLE_TIMEOUT, CLUSTER_CX_MAX_DURATION,
    CLUSTER_CX_MAX_REQUESTS,
)
from mesh_core.tls.session cimport tls_has_input
from mesh_core.upstream.endpoint_state cimport ClusterStateC, EndpointStateC
from mesh_core.upstream.idle_timeout cimport (
    IDLE_ALWAYS_MS, idle_timeout_ended, idle_timeout_known, idle_timeout_limit, idle_timeout_survived,
    idle_timeout_unrepeatable_limit,
)


cdef bint client_take_idle(StreamC* stream) noexcept nogil:
    cdef CoreC* core = stream.worker.core
    cdef HttpClientC* client = <HttpClientC*>stream.endpoint.idle_clients[core.index].newest
    if client == NULL or core.reactor.now_ms - client.idle_since_ms >= age_limit(stream):
        return False
    # One that has said something or has ended, as an event of this turn is about to tell, is not idle. One of another
    # snapshot may be spoken to in another way.
    while client != NULL and (reactor_is_pending(&core.reactor, &client.upstream.side.source)
                              or client.upstream.cluster.tls != stream.cluster.tls):
        client = client.older
    if client == NULL:
        return False
    # What it points to must live as long as the stream does.
    client.upstream.cluster = stream.cluster
    client.upstream.endpoint = stream.endpoint
    leave_pool(client)
    client.sentinel = False
    client.stream = stream
    stream.client = client
    client.requests += 1
    client.upstream.side.source.on_event = stream.handlers.on_event
    client.task.run = stream.handlers.on_task
    client_begin(client)
    return True


cdef int64_t age_limit(const StreamC* stream) noexcept nogil:
    """How long a connection may have been idle to carry this request: its endpoint may be about to end it."""
    cdef const ClusterHttpC* http = &stream.cluster.http
    if not stream.flags & STREAM_REPEATABLE:
        return idle_timeout_unrepeatable_limit(stream.endpoint.state, http.unrepeatable_idle_ms)
    return idle_timeout_limit(stream.endpoint.state)


cdef void client_begin(HttpClientC* client) noexcept nogil:
    client.sent_before = side_wire_sent(&client.upstream.side)
    client.received_before = client.upstream.side.received


cdef void client_open(StreamC* stream) noexcept nogil:
    cdef HttpWorkerC* worker = stream.worker
    cdef HttpClientC* client = client_create(worker)
    if client == NULL:
        stream.handlers.out_of_memory(stream)
        return
    stream.client = client
    client.stream = stream
    client.requests = 1
    upstream_init(&client.upstream, worker.core, client, stream.handlers.opened, stream.handlers.failed)
    client.task.run = stream.handlers.on_task
    client.upstream.requests = True
    client.upstream.priority = stream.priority
    client.upstream.hashed = stream.hash.hashed
    client.upstream.hash = stream.hash.hash
    client.upstream.subset = stream.chosen.subset
    upstream_open_to(&client.upstream, stream.cluster, stream.endpoint)


cdef bint client_make_room(StreamC* stream) noexcept nogil:
    cdef HttpClientC* client = stream.worker.clients
    while client != NULL and (
            client.pool == NULL or client.upstream.cluster.state != stream.cluster.state
            or client.upstream.priority != stream.priority):
        client = client.next
    if client == NULL:
        return False
    client_close(client, False)
    return True


cdef HttpClientC* client_create(HttpWorkerC* worker) noexcept nogil:
    cdef HttpClientC* client = <HttpClientC*>memory_alloc(sizeof(HttpClientC))
    if client == NULL:
        return NULL
    client.worker = worker
    client.task.owner = client
    client.opened_ms = worker.core.reactor.now_ms
    client.next = worker.clients
    client.link = &worker.clients
    if client.next != NULL:
        client.next.link = &client.next
    worker.clients = client
    return client


cdef void client_give(HttpClientC* client) noexcept nogil:
    cdef StreamC* stream = client.stream
    cdef SnapshotC* current = client.worker.current[0]
    cdef IdleClientsC* pool = &client.upstream.endpoint.idle_clients[client.worker.core.index]
    cdef ClusterStateC* pool_state = client.upstream.cluster.state
    if unlikely(not may_be_kept(client, pool) or (
            stream.snapshot != current and not client_point_into(client, pool, current))):
        client_close(client, False)
        return
    stream.client = NULL
    client.stream = NULL
    client.upstream.side.source.on_event = on_idle_event
    enter_pool(client, pool)
    if unlikely(client.worker.waiting != NULL):
        waiting_wake(client.worker, pool_state, client.upstream.priority, client.upstream.endpoint.state)


cdef bint may_be_kept(HttpClientC* client, const IdleClientsC* pool) noexcept nogil:
    cdef const ClusterC* cluster = client.upstream.cluster
    cdef uint64_t* stats = cluster.stats[client.worker.core.index]
    if unlikely(has_more(&client.upstream.side) or client.input.size or client.upstream.side.queue.size
                or client.upstream.side.pipe != NULL):
        # It has said more than it was asked for, or ends.
        return False
    if unlikely(cluster.http.max_requests_per_connection > 0) and (
            client.requests >= cluster.http.max_requests_per_connection):
        stats[CLUSTER_CX_MAX_REQUESTS] += 1
        return False
    if unlikely(cluster.http.max_connection_duration_ms > 0) and (
            client.worker.core.reactor.now_ms - client.opened_ms >= cluster.http.max_connection_duration_ms):
        stats[CLUSTER_CX_MAX_DURATION] += 1
        return False
    return not client_is_lost(client) and cluster.http.max_idle_connections > 0


cdef bint has_more(SideC* side) noexcept nogil:
    """Whether there is something that it was not asked for, or its end; a body read to its end leaves that open."""
    cdef uint8_t byte
    if unlikely(side.flags & (SIDE_ENDED | SIDE_FAILED) or (side.tls != NULL and tls_has_input(side.tls))):
        return True
    # On a Unix socket every input leaves SIDE_UNTIL_EMPTY: that is no end (see side_input_flags).
    if unlikely(side.flags & SIDE_READABLE) and not side.flags & ~side.input_flags & SIDE_UNTIL_EMPTY and (
            recv(side.source.fd, &byte, 1, MSG_PEEK) < 0 and errno == EAGAIN):
        side.flags &= ~<uint32_t>(SIDE_READABLE | SIDE_UNTIL_EMPTY)
    return side_has_input(side)


cdef bint client_is_lost(const HttpClientC* client) noexcept nogil:
    return load_relaxed_u32(&client.upstream.endpoint.state.unhealthy) & client.upstream.cluster.close_on != 0


# --- the list of an endpoint's idle clients ---

cdef void enter_pool(HttpClientC* client, IdleClientsC* pool) noexcept nogil:
    cdef CoreC* core = client.worker.core
    cdef const ClusterC* cluster = client.upstream.cluster
    client.pool = pool
    client.idle_since_ms = core.reactor.now_ms
    client.older = <HttpClientC*>pool.newest
    client.newer = NULL
    if client.older != NULL:
        client.older.newer = client
    else:
        pool.oldest = client
    pool.newest = client
    pool.count += 1
    client_bring_forward(client)
    if unlikely(pool.count > cluster.http.max_idle_connections):
        client_close(<HttpClientC*>pool.oldest, False)


cdef void leave_pool(HttpClientC* client) noexcept nogil:
    cdef IdleClientsC* pool = client.pool
    if client.newer != NULL:
        client.newer.older = client.older
    else:
        pool.newest = client.older
    if client.older != NULL:
        client.older.newer = client.newer
    else:
        pool.oldest = client.newer
    pool.count -= 1
    client.pool = NULL


cdef void on_idle_event(void* owner, uint32_t events) noexcept nogil:
    """Nobody has asked it anything: whatever it says, or that it ends, ends it."""
    cdef HttpClientC* client = <HttpClientC*>owner
    cdef int64_t age_ms = client.worker.core.reactor.now_ms - client.idle_since_ms
    side_event(&client.upstream.side, events)
    if events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR):
        client.upstream.cluster.stats[client.worker.core.index][CLUSTER_CX_IDLE_ENDED] += 1
        if client.upstream.cluster.http.learns_idle_timeouts:
            idle_timeout_ended(client.upstream.endpoint.state, age_ms)
    if events & (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR):
        client_close(client, False)


cdef void on_idle_deadline(void* owner) noexcept nogil:
    """It may have been used meanwhile: look, and wait for what is left."""
    cdef HttpClientC* client = <HttpClientC*>owner
    cdef int64_t timeout_ms = client.upstream.cluster.http.idle_timeout_ms
    cdef uint64_t* stats = client.upstream.cluster.stats[client.worker.core.index]
    cdef int64_t age_ms = client.worker.core.reactor.now_ms - client.idle_since_ms
    if client.stream != NULL:
        # It is set again when the client is given back.
        return
    if timeout_ms and age_ms >= timeout_ms:
        stats[CLUSTER_CX_IDLE_TIMEOUT] += 1
        client_close(client, False)
    elif age_ms < idle_timeout_limit(client.upstream.endpoint.state) or stands_guard(client, age_ms):
        client_bring_forward(client)
    else:
        stats[CLUSTER_CX_IDLE_LEARNED] += 1
        client_close(client, False)


cdef bint stands_guard(HttpClientC* client, int64_t age_ms) noexcept nogil:
    """One of each pool is left open, and carries nothing more: that shows whether what was learned is still so."""
    cdef EndpointStateC* state = client.upstream.endpoint.state
    if client.pool.oldest != client:
        return False
    if client.sentinel and age_ms >= 2 * idle_timeout_known(state):
        idle_timeout_survived(state, age_ms)
    client.sentinel = True
    return True


cdef void client_bring_forward(HttpClientC* client) noexcept nogil:
    """Look at it when it has been idle for too long; a timer that is set for earlier is left so."""
    cdef CoreC* core = client.worker.core
    cdef const ClusterC* cluster = client.upstream.cluster
    cdef int64_t limit_ms = idle_timeout_limit(client.upstream.endpoint.state)
    if client.sentinel and limit_ms != IDLE_ALWAYS_MS:
        limit_ms = 2 * idle_timeout_known(client.upstream.endpoint.state)
    if cluster.http.idle_timeout_ms:
        limit_ms = min(limit_ms, cluster.http.idle_timeout_ms)
    if limit_ms == IDLE_ALWAYS_MS or (client.upstream.timer.link != NULL and (
            client.upstream.timer.deadline - 1) * TICK_MS <= client.idle_since_ms + limit_ms):
        return
    client.upstream.timer.owner = client
    client.upstream.timer.fire = on_idle_deadline
    reactor_set_timer(&core.reactor, &client.upstream.timer, client.idle_since_ms + limit_ms)


# --- the end of a client ---

cdef void client_close(HttpClientC* client, bint reset) noexcept nogil:
    cdef const ClusterC* cluster = client.upstream.cluster
    cdef bint counted = client.upstream.counts & COUNTED_CONNECTION != 0
    cdef const EndpointStateC* endpoint = (
        client.upstream.endpoint.state if client.upstream.endpoint != NULL else NULL)
    upstream_close(&client.upstream, reset)
    client_forget(client)
    if counted and client.worker.waiting != NULL:
        waiting_wake(client.worker, cluster.state, client.upstream.priority, endpoint)


cdef void client_forget(HttpClientC* client) noexcept nogil:
    cdef CoreC* core = client.worker.core
    if client.pool != NULL:
        leave_pool(client)
    if client.stream != NULL:
        client.stream.client = NULL
        client.stream = NULL
    input_clear(&client.input)
    reactor_cancel_task(&core.reactor, &client.task)
    client.link[0] = client.next
    if client.next != NULL:
        client.next.link = client.link
    client.retired.free = free_client
    client.retired.owner = client
    reactor_retire(&core.reactor, &client.retired)


cdef void free_client(void* owner) noexcept nogil:
    memory_free(owner)


cdef bint client_point_into(HttpClientC* client, const IdleClientsC* pool, const SnapshotC* snapshot) noexcept nogil:
    """Make it a client of the same endpoint in `snapshot`; False when there is none that is spoken to alike."""
    if pool.version != snapshot.version or pool.cluster.tls != client.upstream.cluster.tls:
        return False
    client.upstream.cluster = pool.cluster
    client.upstream.endpoint = pool.endpoint
    return True

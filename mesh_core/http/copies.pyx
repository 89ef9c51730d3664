"""Copies of requests; the contract stands in copies.pxd."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memset
from mesh_core.http.body cimport body_source_ended
from mesh_core.http.copy_message cimport COPY_MORE_BYTES, copy_message_write
from mesh_core.http.discard cimport DISCARD_ENDED, DISCARD_MALFORMED, discard_take
from mesh_core.http.mirroring cimport MirroringC, mirroring_end
from mesh_core.http.pool cimport client_begin, client_close, client_give, client_open, client_take_idle
from mesh_core.http.results cimport (
    REQUEST_MALFORMED, REQUEST_RESET, REQUEST_TIMEOUT, RequestFailure, endpoint_failed_request,
)
from mesh_core.http.stream cimport (
    STREAM_CLIENT_LAST, STREAM_REPEATABLE, STREAM_RESPONDED, STREAM_SENT, STREAM_UPGRADE, HttpClientC, stream_admit,
    stream_at_endpoint, stream_leave,
)
from mesh_core.http.waiting cimport waiting_admit, waiting_leave
from mesh_core.relay.relay cimport RELAY_BLOCKED, RELAY_ENDED, RELAY_WAITING, RELAY_YIELDED
from mesh_core.relay.transport cimport side_event, side_flush, side_receive, side_send
from mesh_core.routing.fault cimport draw
from mesh_core.routing.mirror cimport MirrorC, MirrorsC
from mesh_core.routing.route cimport RouteClusterC
from mesh_core.runtime.memory cimport memory_alloc, memory_free
from mesh_core.runtime.reactor cimport (
    TaskC, reactor_cancel_task, reactor_cancel_timer, reactor_queue_task, reactor_set_timer,
)
from mesh_core.runtime.timers cimport TimerC
from mesh_core.snapshot.shared_count cimport shared_count_enter, shared_count_leave
from mesh_core.snapshot.snapshot cimport snapshot_hold
from mesh_core.snapshot.tables cimport EndpointC, PickContextC
from mesh_core.telemetry.response_flags cimport DETAIL_UPSTREAM_OVERFLOW, DETAIL_UPSTREAM_PENDING_OVERFLOW
from mesh_core.telemetry.stats cimport (
    CLUSTER_CX_NONE_HEALTHY, CLUSTER_CX_PROTOCOL_ERROR, MIRROR_BODY_OVERFLOW, MIRROR_COMPLETED, MIRROR_FAILED,
    MIRROR_OVERFLOW, MIRROR_TOTAL, SERVER_MEMORY_EXHAUSTED,
)
from mesh_core.upstream.pick cimport cluster_pick

cdef enum:
    RECEIVE_ROUNDS = 4         # in one event
    RECEIVE_BYTES = 65536

# Owner: HttpWorkerC.copies. Its place under the rule's max_concurrent is its own.
cdef struct CopyC:
    StreamC stream             # first: what its client and the pool know of it
    RouteClusterC choice
    const MirrorC* rule
    uint8_t* message           # until it was sent; owned
    size_t size
    TaskC task
    TimerC timer
    CopyC* next
    CopyC** link


cdef void copies_init(HttpWorkerC* worker) noexcept nogil:
    worker.copy_handlers.opened = on_opened
    worker.copy_handlers.failed = on_failed
    worker.copy_handlers.on_event = on_client
    worker.copy_handlers.on_task = on_task
    worker.copy_handlers.out_of_memory = on_no_client


# --- while the request goes ---

cdef void copies_choose(StreamC* stream, size_t size) noexcept nogil:
    cdef const MirrorsC* mirrors = stream.route.mirrors
    cdef const MirrorC* mirror
    cdef MirroringC* mirroring = NULL
    cdef uint32_t index
    if stream.flags & STREAM_UPGRADE:
        return
    for index in range(mirrors.count):
        mirror = &mirrors.mirrors[index]
        if not draw(mirror.ppm, &stream.worker.core.random):
            continue
        if mirroring == NULL:
            mirroring = <MirroringC*>memory_alloc(sizeof(MirroringC))
            if mirroring == NULL:
                stream.worker.core.stats[SERVER_MEMORY_EXHAUSTED] += 1
                return
        if shared_count_enter(mirror.active, mirror.max_concurrent):
            mirroring.chosen |= <uint32_t>1 << index
            mirroring.limit = max(mirroring.limit, <size_t>mirror.max_body_bytes)
        else:
            mirror.stats[stream.worker.core.index][MIRROR_OVERFLOW] += 1
    if mirroring == NULL or not mirroring.chosen:
        memory_free(mirroring)
        return
    mirroring.mirrors = mirrors
    mirroring.worker = stream.worker.core.index
    mirroring.head_bytes = size
    stream.mirroring = mirroring


cdef void copies_begin(StreamC* stream) noexcept nogil:
    cdef MirroringC* mirroring = stream.mirroring
    cdef const MirrorC* mirror
    cdef uint32_t index
    stream.mirroring = NULL
    for index in range(mirroring.mirrors.count):
        mirror = &mirroring.mirrors.mirrors[index]
        if not mirroring.lost and mirroring.chosen >> index & 1 and (
                mirroring.size - mirroring.head_bytes <= mirror.max_body_bytes) and copy_create(
                    stream, mirror, mirroring):
            mirroring.chosen &= ~(<uint32_t>1 << index)
    mirroring_end(mirroring, MIRROR_BODY_OVERFLOW)


# --- a copy's life ---

cdef bint copy_create(StreamC* original, const MirrorC* mirror, const MirroringC* mirroring) noexcept nogil:
    """A copy that begins in the next turn; False when memory is exhausted."""
    cdef HttpWorkerC* worker = original.worker
    cdef CopyC* copy = <CopyC*>memory_alloc(sizeof(CopyC))
    if copy == NULL:
        return False
    copy.message = <uint8_t*>memory_alloc(mirroring.size + COPY_MORE_BYTES)
    if copy.message == NULL:
        memory_free(copy)
        return False
    copy.size = copy_message_write(mirror, mirroring, copy.message)
    copy.rule = mirror
    copy.choice.cluster = mirror.cluster
    copy.choice.subset = mirror.subset
    copy.stream.worker = worker
    copy.stream.handlers = &worker.copy_handlers
    copy.stream.snapshot = original.snapshot
    snapshot_hold(original.snapshot, worker.core.index)
    copy.stream.http = original.http
    copy.stream.cluster = mirror.cluster
    copy.stream.chosen = &copy.choice
    copy.stream.method_id = original.method_id
    # One that is lost with a connection which had been idle is no loss.
    copy.stream.flags = STREAM_REPEATABLE
    copy.next = <CopyC*>worker.copies
    copy.link = <CopyC**>&worker.copies
    if copy.next != NULL:
        copy.next.link = &copy.next
    worker.copies = copy
    mirror.stats[worker.core.index][MIRROR_TOTAL] += 1
    copy.task.run = on_begin
    copy.task.owner = copy
    reactor_queue_task(&worker.core.reactor, &copy.task)
    copy.timer.fire = on_late
    copy.timer.owner = copy
    reactor_set_timer(&worker.core.reactor, &copy.timer, worker.core.reactor.now_ms + mirror.timeout_ms)
    return True


cdef void on_begin(void* owner) noexcept nogil:
    cdef CopyC* copy = <CopyC*>owner
    cdef StreamC* stream = &copy.stream
    cdef EndpointC* endpoint
    cdef PickContextC context
    if not stream_admit(stream):
        copy_end(copy, MIRROR_OVERFLOW)
        return
    memset(&context, 0, sizeof(PickContextC))
    context.subset = copy.choice.subset
    context.now_ms = stream.worker.core.reactor.now_ms
    endpoint = cluster_pick(stream.cluster, stream.worker.core.index, &context)
    if endpoint == NULL:
        stream.cluster.stats[stream.worker.core.index][CLUSTER_CX_NONE_HEALTHY] += 1
        copy_end(copy, MIRROR_FAILED)
        return
    stream_at_endpoint(stream, endpoint)
    if client_take_idle(stream):
        send(copy)
    elif waiting_admit(stream):
        client_open(stream)
    else:
        copy_end(copy, MIRROR_OVERFLOW)


cdef void send(CopyC* copy) noexcept nogil:
    cdef StreamC* stream = &copy.stream
    cdef int status
    client_begin(stream.client)
    status = side_send(stream.worker.core, &stream.client.upstream.side, copy.message, copy.size)
    stream.flags |= STREAM_SENT
    waiting_leave(stream)
    memory_free(copy.message)
    copy.message = NULL
    if status > RELAY_BLOCKED:
        failed(copy, REQUEST_RESET)
    else:
        # What has come until now is told by no further event.
        reactor_queue_task(&stream.worker.core.reactor, &stream.client.task)


cdef void failed(CopyC* copy, RequestFailure why) noexcept nogil:
    if why == REQUEST_MALFORMED:
        copy.stream.cluster.stats[copy.stream.worker.core.index][CLUSTER_CX_PROTOCOL_ERROR] += 1
    endpoint_failed_request(&copy.stream, why)
    copy_end(copy, MIRROR_FAILED)


cdef void copy_end(CopyC* copy, int stat) noexcept nogil:
    """Its end; `stat`: what is counted besides."""
    cdef HttpWorkerC* worker = copy.stream.worker
    copy.rule.stats[worker.core.index][stat] += 1
    if stat != MIRROR_COMPLETED:
        copy.rule.stats[worker.core.index][MIRROR_COMPLETED] += 1
    if copy.stream.client != NULL:
        client_close(copy.stream.client, True)
    reactor_cancel_task(&worker.core.reactor, &copy.task)
    reactor_cancel_timer(&worker.core.reactor, &copy.timer)
    shared_count_leave(copy.rule.active)
    copy.link[0] = copy.next
    if copy.next != NULL:
        copy.next.link = copy.link
    stream_leave(&copy.stream)
    memory_free(copy.message)
    memory_free(copy)


cdef void on_late(void* owner) noexcept nogil:
    cdef CopyC* copy = <CopyC*>owner
    if copy.stream.flags & STREAM_SENT:
        failed(copy, REQUEST_TIMEOUT)
    else:
        copy_end(copy, MIRROR_FAILED)


cdef void copies_abort(HttpWorkerC* worker) noexcept nogil:
    while worker.copies != NULL:
        copy_end(<CopyC*>worker.copies, MIRROR_FAILED)


# --- its client ---

cdef inline CopyC* copy_of(void* client) noexcept nogil:
    return <CopyC*>(<HttpClientC*>client).stream


cdef void on_opened(void* owner) noexcept nogil:
    cdef HttpClientC* client = <HttpClientC*>owner
    client.upstream.side.source.on_event = on_client
    stream_at_endpoint(client.stream, client.upstream.endpoint)
    send(copy_of(owner))


cdef void on_failed(void* owner, uint32_t flags, uint16_t detail) noexcept nogil:
    cdef bint overflow = detail == DETAIL_UPSTREAM_OVERFLOW or detail == DETAIL_UPSTREAM_PENDING_OVERFLOW
    copy_end(copy_of(owner), MIRROR_OVERFLOW if overflow else MIRROR_FAILED)


cdef void on_no_client(void* owner) noexcept nogil:
    (<CopyC*>owner).stream.worker.core.stats[SERVER_MEMORY_EXHAUSTED] += 1
    copy_end(<CopyC*>owner, MIRROR_FAILED)


cdef void on_client(void* owner, uint32_t events) noexcept nogil:
    side_event(&(<HttpClientC*>owner).upstream.side, events)
    on_task(owner)


cdef void on_task(void* owner) noexcept nogil:
    cdef HttpClientC* client = <HttpClientC*>owner
    if client.stream == NULL:
        return
    if client.upstream.side.queue.size:
        # A failure shows in what is received.
        side_flush(client.worker.core, &client.upstream.side)
    receive(copy_of(owner))


cdef void receive(CopyC* copy) noexcept nogil:
    cdef HttpClientC* client = copy.stream.client
    cdef const uint8_t* data
    cdef size_t size
    cdef int status, verdict
    cdef int _round
    for _round in range(RECEIVE_ROUNDS):
        status = side_receive(client.worker.core, &client.upstream.side, RECEIVE_BYTES, &data, &size)
        if size:
            verdict = discard_take(&copy.stream, data, size)
            if verdict == DISCARD_MALFORMED:
                failed(copy, REQUEST_MALFORMED)
                return
            if verdict == DISCARD_ENDED:
                complete(copy)
                return
        elif status == RELAY_WAITING or status == RELAY_BLOCKED:
            return
        elif status != RELAY_YIELDED:
            source_ended(copy, status)
            return
    reactor_queue_task(&client.worker.core.reactor, &client.task)


cdef void source_ended(CopyC* copy, int status) noexcept nogil:
    if copy.stream.flags & STREAM_RESPONDED and status == RELAY_ENDED and (
            body_source_ended(&copy.stream.response_body)):
        copy.stream.flags |= STREAM_CLIENT_LAST
        complete(copy)
    else:
        failed(copy, REQUEST_RESET)


cdef void complete(CopyC* copy) noexcept nogil:
    cdef HttpClientC* client = copy.stream.client
    if copy.stream.flags & STREAM_CLIENT_LAST:
        client_close(client, not copy.stream.response_body.ended)
    else:
        client_give(client)
    copy_end(copy, MIRROR_COMPLETED)

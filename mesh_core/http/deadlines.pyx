"""When a connection or its stream has lasted too long; the contract stands in deadlines.pxd."""

from mesh_core.http.body_rate cimport body_rate_next
from mesh_core.http.stream cimport STREAM_RESPONDED, STREAM_SENT, DownstreamC, downstream_of
from mesh_core.routing.timeouts cimport RouteTimeoutsC
from mesh_core.runtime.reactor cimport reactor_set_timer
from mesh_core.snapshot.http_settings cimport HttpSettingsC


cdef enum:
    # That a connection waits for its last request: who uses it often hears in an answer that it ends, and who does
    # not is unlikely to send in the moment in which it ends. As long as Envoy's delayed_close_timeout.
    LAST_IDLE_MS = 1000


cdef void deadlines_arm(ConnectionC* connection) noexcept nogil:
    cdef DownstreamC* downstream = downstream_of(connection)
    cdef int64_t at_ms = deadlines_next(connection).at_ms
    if at_ms != DEADLINE_NEVER_MS and (not downstream.timer_ms or at_ms < downstream.timer_ms):
        downstream.timer_ms = at_ms
        reactor_set_timer(&connection.table.core.reactor, &connection.timer, at_ms)


cdef void deadlines_note(StreamC* stream) noexcept nogil:
    cdef int64_t per_try_ms = stream.route.timeouts.per_try_ms
    cdef int64_t now_ms = stream.worker.core.reactor.now_ms
    cdef bint sooner = False
    if not stream.whole_ms and not stream.wake_at_ms:
        # An injected delay is none of the upstream's time.
        stream.whole_ms = now_ms
        sooner = True
    if not stream.flags & STREAM_SENT:
        stream.try_deadline_ms = 0
    elif per_try_ms and not stream.try_deadline_ms:
        stream.try_deadline_ms = now_ms + per_try_ms
        sooner = True
    if sooner:
        deadlines_arm(stream.connection)


cdef DeadlineC deadlines_next(const ConnectionC* connection) noexcept nogil:
    cdef const DownstreamC* downstream = downstream_of(connection)
    cdef const HttpSettingsC* settings = &connection.chain.http.settings
    cdef DeadlineC nearest = DeadlineC(DEADLINE_NEVER_MS, DEADLINE_IDLE)
    cdef int64_t rate_ms
    if downstream.stream != NULL:
        look_at_stream(downstream.stream, &nearest)
    elif downstream.head_begun_ms and settings.request_headers_timeout_ms:
        sooner(&nearest, DEADLINE_REQUEST_HEAD, downstream.head_begun_ms, settings.request_headers_timeout_ms)
    else:
        sooner(&nearest, DEADLINE_IDLE, connection.last_active_ms, settings.idle_timeout_ms)
        if downstream.last and not downstream.closing and not connection.downstream.queue.size:
            sooner(&nearest, DEADLINE_IDLE, connection.last_active_ms, LAST_IDLE_MS)
    rate_ms = body_rate_next(connection)
    if rate_ms < nearest.at_ms:
        nearest = DeadlineC(rate_ms, DEADLINE_RATE)
    if not downstream.last:
        sooner(&nearest, DEADLINE_CONNECTION_DURATION, connection.opened_ms, connection.listener.max_duration_ms)
    return nearest


cdef void look_at_stream(const StreamC* stream, DeadlineC* nearest) noexcept nogil:
    cdef const RouteTimeoutsC* timeouts = stream.route.timeouts if stream.route != NULL else NULL
    cdef const HttpSettingsC* settings = &stream.http.settings
    cdef int64_t idle_ms = settings.stream_idle_timeout_ms
    cdef int64_t most_ms = settings.max_stream_duration_ms
    if timeouts != NULL:
        idle_ms = timeouts.stream_idle_ms
        most_ms = timeouts.max_stream_duration_ms
        if stream.whole_ms:
            sooner(nearest, DEADLINE_ROUTE, stream.whole_ms, timeouts.request_ms)
    sooner(nearest, DEADLINE_STREAM_IDLE, stream.connection.last_active_ms, idle_ms)
    sooner(nearest, DEADLINE_STREAM_DURATION, stream.begun_ms, most_ms)
    if not stream.request_body.ended:
        sooner(nearest, DEADLINE_REQUEST, stream.begun_ms, settings.request_timeout_ms)
    if stream.try_deadline_ms and not stream.flags & STREAM_RESPONDED and stream.try_deadline_ms < nearest.at_ms:
        nearest[0] = DeadlineC(stream.try_deadline_ms, DEADLINE_TRY)
    if stream.wake_at_ms and stream.wake_at_ms < nearest.at_ms:
        nearest[0] = DeadlineC(stream.wake_at_ms, DEADLINE_WAKE)


cdef inline void sooner(DeadlineC* nearest, int kind, int64_t begun_ms, int64_t timeout_ms) noexcept nogil:
    """A time-out of 0 is none."""
    if timeout_ms and begun_ms + timeout_ms < nearest.at_ms:
        nearest[0] = DeadlineC(begun_ms + timeout_ms, kind)

"""When a connection, or the stream that it carries, has lasted too long. Worker thread, no GIL.

Each downstream connection has one timer, and it is lazy: it is set only when the nearest deadline comes sooner than
what it is set to, and never cancelled; when it fires, mesh_core.http.late looks at what is due. So a request whose
time-outs are no shorter than those of the request before it touches no timer.
"""

from libc.stdint cimport int64_t
from mesh_core.http.stream cimport DownstreamC, StreamC, downstream_of
from mesh_core.relay.connection cimport ConnectionC
from mesh_core.snapshot.http_settings cimport HttpSettingsC

cdef enum:
    DEADLINE_NEVER_MS = 0x7FFFFFFFFFFFFFFF

cdef enum DeadlineKind:
    DEADLINE_IDLE              # between two requests
    DEADLINE_REQUEST_HEAD
    DEADLINE_REQUEST           # the whole request, body included
    DEADLINE_ROUTE             # the response, all attempts together
    DEADLINE_TRY               # StreamC.try_deadline_ms
    DEADLINE_STREAM_IDLE
    DEADLINE_STREAM_DURATION
    DEADLINE_CONNECTION_DURATION
    DEADLINE_RATE              # time to look at the rate of bodies; nothing may be late
    DEADLINE_WAKE              # StreamC.wake_at_ms: nothing is late, a wait is over


cdef struct DeadlineC:
    int64_t at_ms              # coarse monotonic clock; DEADLINE_NEVER_MS: there is none
    int kind                   # DeadlineKind


# The nearest deadline.
cdef DeadlineC deadlines_next(const ConnectionC* connection) noexcept nogil

# Make the timer fire no later than at the nearest deadline. Who sets try_deadline_ms or wake_at_ms of a stream need not
# call it: downstream_continue does, at the end of every event.
cdef void deadlines_arm(ConnectionC* connection) noexcept nogil

# The same between two requests, with nothing of a head: the timer has been set by all deadlines but the one of idle
# time, which has moved away.
cdef inline void deadlines_arm_idle(ConnectionC* connection) noexcept nogil:
    cdef const DownstreamC* downstream = downstream_of(connection)
    cdef int64_t idle_ms = connection.chain.http.settings.idle_timeout_ms
    if downstream.last or not downstream.timer_ms or (
            idle_ms and downstream.timer_ms > connection.last_active_ms + idle_ms):
        deadlines_arm(connection)

# After something has happened to the stream: note that its request is whole, was sent, or is to be sent again. As
# deadlines_arm when that has brought a deadline.
cdef inline void deadlines_follow(StreamC* stream) noexcept nogil:
    if stream.route != NULL and stream.route.timeouts != NULL and stream.request_body.ended:
        deadlines_note(stream)

# Of a stream whose route has time-outs, and whose request is whole.
cdef void deadlines_note(StreamC* stream) noexcept nogil

# The same, and deadlines_arm: the stream has just begun. Most streams bring no deadline that comes before the timer.
cdef inline void deadlines_begin(StreamC* stream) noexcept nogil:
    cdef const DownstreamC* downstream = downstream_of(stream.connection)
    cdef const HttpSettingsC* settings = &stream.http.settings
    deadlines_follow(stream)
    if not downstream.timer_ms or stream.wake_at_ms or (
            settings.least_stream_timeout_ms
            and downstream.timer_ms > stream.begun_ms + settings.least_stream_timeout_ms
    ) or (stream.route != NULL and stream.route.timeouts != NULL) or (
            settings.min_body_rate.request or settings.min_body_rate.response):
        deadlines_arm(stream.connection)

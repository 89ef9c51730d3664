"""When a connection, or the stream that it carries, has lasted too long. Worker thread, no GIL.

Each downstream connection has one timer, and it is lazy: it is set only when the nearest deadline comes sooner than
what it is set to, and never cancelled; when it fires, mesh_core.http.late looks at what is due. So a request whose
time-outs are no shorter than those of the request before it touches no timer.
"""

from libc.stdint cimport int64_t
from mesh_core.http.stream cimport StreamC
from mesh_core.relay.connection cimport ConnectionC

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

# After something has happened to the stream: note that its request is whole, was sent, or is to be sent again. As
# deadlines_arm when that has brought a deadline, or when the stream has just `begun`.
cdef void deadlines_follow(StreamC* stream, bint begun) noexcept nogil

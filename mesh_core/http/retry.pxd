"""Whether a request is tried again when an attempt to have it answered has failed, where, and when.

Nothing is tried again once something of a final response has gone downstream. Every function here leaves the next
attempt to a later turn. Worker thread, no GIL.
"""

from libc.stdint cimport uint8_t
from mesh_core.http.stream cimport StreamC
from mesh_core.http1.framing cimport FramingC
from mesh_core.http1.head cimport HeadC

# How an attempt has failed.
cdef enum AttemptEnd:
    ATTEMPT_NOT_SENT           # its client could not be opened, or was no upstream to send anything to
    ATTEMPT_CLOSED             # its connection has ended: the upstream said so
    ATTEMPT_RESET              # its connection was reset
    ATTEMPT_MALFORMED          # what came is no response
    ATTEMPT_LATE               # nothing came in time


# Before the head of a request with a route and a cluster is written anew: whether it may be sent twice.
cdef void retry_prepare(StreamC* stream, const HeadC* head, const uint8_t* data) noexcept nogil

# The attempt has failed, before any of a final response: True when there will be another, and the stream's client is
# gone; else the caller answers. An AttemptEnd.
cdef bint retry_failed(StreamC* stream, int end) noexcept nogil

# This final response has come, with `size` bytes behind its head: True when there will be another attempt instead, and
# the stream's client is gone or idle again; else it is to be passed on.
cdef bint retry_answered(
    StreamC* stream, const HeadC* head, const uint8_t* data, const FramingC* framing, size_t size
) noexcept nogil

# The next attempt is due: True when it begins, at stream.endpoint; else it waits on, or the stream is over.
cdef bint retry_begin(StreamC* stream) noexcept nogil

# The per-try time-out has passed: try again, or answer. The stream may be over; downstream_continue is to follow.
cdef void attempt_late(StreamC* stream) noexcept nogil

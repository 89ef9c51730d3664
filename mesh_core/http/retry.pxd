"""Whether a request is tried again when an attempt to have it answered has failed, where, and when.

Nothing is tried again once something of a final response has gone downstream. Every function here leaves the next
attempt to a later turn. Worker thread, no GIL.
"""

from libc.stdint cimport uint8_t
from mesh_core.http.stream cimport FailureC, StreamC
from mesh_core.http1.framing cimport FramingC
from mesh_core.http1.head cimport HeadC


# Before the head of a request with a route and a cluster is written anew: whether it may be sent twice.
cdef void retry_prepare(StreamC* stream, const HeadC* head, const uint8_t* data) noexcept nogil

# The attempt has failed, before any of a final response: there will be another, and the stream's client is gone; or the
# stream is answered as `failure` says, and may be over. Of that, what is known of the client is filled in here.
cdef void attempt_failed(StreamC* stream, FailureC failure) noexcept nogil

# This final response has come, which retry_wants, with `size` bytes behind its head: True when there will be another
# attempt instead, and the stream's client is gone or idle again; else it is to be passed on.
cdef bint retry_answered(
    StreamC* stream, const HeadC* head, const uint8_t* data, const FramingC* framing, size_t size
) noexcept nogil

# The next attempt is due: True when it begins, at stream.endpoint; else it waits on, or the stream is over.
cdef bint retry_begin(StreamC* stream) noexcept nogil

# The per-try time-out has passed: try again, or answer. The stream may be over; downstream_continue is to follow.
cdef void attempt_late(StreamC* stream) noexcept nogil

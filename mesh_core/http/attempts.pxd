"""What is known of a request's attempts once one of them has failed, and the places that its retries take.

Worker thread, no GIL.
"""

from libc.stdint cimport int64_t
from mesh_core.http.stream cimport StreamC

# How an attempt has ended.
cdef enum AttemptEnd:
    ATTEMPT_NOT_SENT           # its client could not be opened, or was no upstream to send anything to
    ATTEMPT_CLOSED             # its connection has ended: the upstream said so
    ATTEMPT_RESET              # its connection was reset
    ATTEMPT_MALFORMED          # what came is no response
    ATTEMPT_LATE               # nothing came in time
    ATTEMPT_ANSWERED           # by what is to be tried again


# The attempt that is over was at the stream's endpoint: avoid that one. False when memory is exhausted.
cdef bint attempts_note(StreamC* stream) noexcept nogil

# Take a place among the cluster's retries, and their credit, for the next attempt. An AttemptPlace.
cdef enum AttemptPlace:
    PLACE_TAKEN
    PLACE_LATER                # there are too many at this moment
    PLACE_NONE                 # there is no credit
cdef AttemptPlace attempts_enter(StreamC* stream) noexcept nogil

# The attempt is over, or has been answered: leave that place.
cdef void attempts_leave(StreamC* stream) noexcept nogil

# An answer is passed on: leave that place; if it is one that retries were for, they cost nothing.
cdef void attempts_answered(StreamC* stream, bint helped) noexcept nogil

# Have `handlers.on_retry` called in `wait_ms`, or, if that is 0, in the next turn.
cdef void attempts_wait(StreamC* stream, int64_t wait_ms) noexcept nogil

# The stream ends, and has some: leave everything, free it.
cdef void attempts_end(StreamC* stream) noexcept nogil

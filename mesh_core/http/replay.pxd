"""What has been written of a request for its upstream: kept until a client is open, and then to be sent again.

Worker thread, no GIL.
"""

from libc.stdint cimport uint8_t

cdef enum:
    REPLAY_KEPT_BYTES = 4096   # so large a buffer serves one stream after the other


# Owner: StreamC. All zero is a replay without anything in it.
cdef struct ReplayC:
    uint8_t* data              # owned
    size_t size
    size_t capacity
    size_t limit               # of what may be sent again; 0: nothing of it
    bint lost                  # not all of it is there any more: the request cannot be sent again


# Put these behind what is there. False when memory is exhausted; then nothing was put.
cdef bint replay_put(ReplayC* replay, const uint8_t* data, size_t size) noexcept nogil

# Give the buffer back.
cdef void replay_free(ReplayC* replay) noexcept nogil

# It is of no further use.
cdef inline void replay_drop(ReplayC* replay) noexcept nogil:
    replay.lost = True
    replay.size = 0
    if replay.capacity > REPLAY_KEPT_BYTES:
        replay_free(replay)

# Begin anew, with the buffer if that is not large.
cdef inline void replay_reset(ReplayC* replay) noexcept nogil:
    replay_drop(replay)
    replay.limit = 0
    replay.lost = False

# It has been sent, or is about to be: keep it if it may be sent again, and is not more than that may be. False when it
# is lost.
cdef inline bint replay_keep(ReplayC* replay) noexcept nogil:
    if replay.size > replay.limit:
        replay_drop(replay)
    return not replay.lost

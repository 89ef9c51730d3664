"""What the traffic policies of its route keep of a stream, where they have anything to keep. Worker thread, no GIL."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from mesh_core.http1.serialize cimport TextC
from mesh_core.routing.cors cimport CORS_ORIGIN_MOST

cdef enum:
    DECIMAL_BYTES = 20         # of any number


# Owner: StreamC.policy. Zeroed at first.
cdef struct PolicyStateC:
    # CORS, of a request with Origin.
    bint cors_allowed
    bint cors_left             # what the upstream says about CORS goes on as it is
    bint preflight             # and is being answered: the two texts are good
    TextC asked_method         # borrowed from the head
    TextC asked_headers
    uint32_t origin_bytes
    uint8_t origin[CORS_ORIGIN_MOST]
    # Rate limits.
    bint tells_rate            # in x-ratelimit-limit, -remaining and -reset
    bint tells_retry           # in Retry-After
    uint64_t rate_tokens
    uint64_t rate_remaining
    uint64_t rate_reset_s
    uint64_t retry_after_s
    uint8_t[4][DECIMAL_BYTES] digits  # of those, as they are written
    # A delay.
    uint64_t* delays           # where it is counted as active; NULL: it is not
    uint8_t* head              # the request's, for when the delay is over; owned
    uint32_t head_bytes


# The state behind `place`, made when it is new; NULL when memory is exhausted.
cdef PolicyStateC* policy_state(PolicyStateC** place) noexcept nogil

# The delay is over: leave the count.
cdef void policy_delay_ended(PolicyStateC* state) noexcept nogil

# Free it.
cdef void policy_state_end(PolicyStateC* state) noexcept nogil

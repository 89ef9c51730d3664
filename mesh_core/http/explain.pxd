"""Why the proxy has failed a request, in words for the header x-hopmesh-explain; only for listeners with `explain`.

Worker thread, no GIL.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from mesh_core.snapshot.tables cimport EndpointC

cdef enum:
    EXPLAIN_ATTEMPTS = 8       # that are told of; of others, only how many
    EXPLAIN_BYTES = 1024       # of the whole text


# Of the header.
cdef inline const char* explain_name() noexcept nogil:
    return b"x-hopmesh-explain"


cdef struct ExplainedC:
    const EndpointC* endpoint
    uint16_t status            # of its answer; 0: there was none
    uint16_t detail            # Detail: why there was none
    uint16_t error             # errno of a failed connect, or 0


# Owner: StreamC. Zeroed at first.
cdef struct ExplainC:
    ExplainedC attempts[EXPLAIN_ATTEMPTS]
    uint32_t count             # of attempts, also of those that found no room


# An attempt of the request is over: what came of it at `endpoint`, which the stream's snapshot holds. NULL: there was
# none. `explain` is made with the first one, for its owner to free; without memory nothing is told.
cdef void explain_attempt(
    ExplainC** explain, const EndpointC* endpoint, uint16_t status, uint16_t detail, uint16_t error
) noexcept nogil

# Write `why` (NULL: it has not failed) and the attempts (NULL: none) to `out`, which holds EXPLAIN_BYTES, as the value
# of a header field; its size.
cdef size_t explain_write(const ExplainC* explain, const char* why, uint8_t* out) noexcept nogil

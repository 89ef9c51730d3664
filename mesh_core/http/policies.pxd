"""The traffic policies of a route, on a request's way in: CORS, then rate limits, then faults. Worker thread, no GIL.

What is refused has cost nothing by then: no place in a cluster was taken.
"""

from libc.stdint cimport uint8_t
from mesh_core.http.stream cimport StreamC
from mesh_core.http1.head cimport HeadC
from mesh_core.routing.request_view cimport RequestViewC

cdef enum PolicyVerdict:
    POLICY_GO_ON
    POLICY_ANSWERED            # the stream may be over
    POLICY_DELAYED             # its head is kept; who called has StreamC.wake_fn called at wake_at_ms


cdef inline bint has_policies(const StreamC* stream) noexcept nogil:
    return stream.route.cors != NULL or stream.route.rate_limits != NULL or stream.route.fault != NULL

# A PolicyVerdict for a request whose route was found; `data` begins with its head.
cdef int policies_ask(
    StreamC* stream, const HeadC* head, const uint8_t* data, const RequestViewC* view
) noexcept nogil

# The same, when the delay is over.
cdef int policies_ask_delayed(StreamC* stream, const RequestViewC* view) noexcept nogil

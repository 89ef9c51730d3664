"""What attempts of requests tell of the endpoint that served them: to outlier detection, and to its statistics.

For each attempt that an open client carried, endpoint_answered or endpoint_failed_request is called, at once when its
outcome is known and while the stream still has its endpoint and its client. Connects that fail are told elsewhere, by
relay/connect_results; what the downstream does (it goes, or does not read) tells nothing of an endpoint. Worker thread,
no GIL.
"""

from libc.stdint cimport uint8_t, uint16_t
from mesh_core.http.stream cimport StreamC
from mesh_core.http1.head cimport HeadC

cdef enum RequestFailure:
    REQUEST_RESET              # its connection ended, or was reset, before the answer was whole
    REQUEST_TIMEOUT            # no answer in time
    REQUEST_MALFORMED          # what came is no response


# A final response's head has come, 101 included.
cdef void endpoint_answered(StreamC* stream, uint16_t status) noexcept nogil

# Of a cluster with active health checks, before the next one: an answer that asks for its endpoint to be taken out has
# it fail them, until enough of them pass. The request for that goes no further: who is in front would take us out.
cdef void endpoint_heed_answer(StreamC* stream, HeadC* head, const uint8_t* data) noexcept nogil

# There will be no whole answer; after endpoint_answered too, when the body is cut. That a connection which had been
# idle ended before anything was said on it is the race of keep-alive, and is not held against the endpoint.
cdef void endpoint_failed_request(StreamC* stream, RequestFailure failure) noexcept nogil

"""Which answers of an upstream are tried again, and after what time. Worker thread, no GIL."""

from libc.stdint cimport int64_t, uint8_t
from mesh_core.http.stream cimport STREAM_REPEATABLE, StreamC
from mesh_core.http1.head cimport FieldC, HeadC
from mesh_core.upstream.retry cimport RETRY_ON_HEADERS, RetryPolicyC, retry_on_status


# The first field of that name, in lower case, that is passed on; NULL: there is none.
cdef const FieldC* retry_find_field(const HeadC* head, const uint8_t* data, const char* name) noexcept nogil

# Whether this response's headers are among those that the policy has tried again.
cdef bint retry_fits_headers(const RetryPolicyC* policy, const HeadC* head, const uint8_t* data) noexcept nogil

# Whether its status or headers are.
cdef inline bint retry_fits(const RetryPolicyC* policy, const HeadC* head, const uint8_t* data) noexcept nogil:
    return retry_on_status(policy, head.status) or (
        (policy.conditions & RETRY_ON_HEADERS or policy.grpc_statuses) and retry_fits_headers(policy, head, data))

# Whether they are, and the request may be sent again.
cdef inline bint retry_wants(const StreamC* stream, const HeadC* head, const uint8_t* data) noexcept nogil:
    return stream.flags & STREAM_REPEATABLE and not stream.replay.lost and retry_fits(stream.retry, head, data)

# The wait that its Retry-After asks for, in milliseconds; -1: none, or it is ignored.
cdef int64_t retry_wait_asked_for(const StreamC* stream, const HeadC* head, const uint8_t* data) noexcept nogil

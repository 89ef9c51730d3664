"""Which answers are tried again; the contract stands in retry_conditions.pxd."""

from libc.stdint cimport uint32_t
from libc.string cimport memset, strlen
from libc.time cimport time
from mesh_core.http1.grammar cimport equals_ignoring_case
from mesh_core.http1.head cimport FIELD_REMOVED
from mesh_core.http1.http_date cimport retry_after_parse
from mesh_core.routing.header_match cimport header_fits
from mesh_core.routing.request_view cimport RequestViewC
from mesh_core.upstream.retry cimport RETRY_ON_HEADERS

cdef enum:
    GRPC_STATUS_COUNT = 17     # Source: gRPC, "Status codes and their use in gRPC"


cdef const FieldC* retry_find_field(const HeadC* head, const uint8_t* data, const char* name) noexcept nogil:
    cdef size_t size = strlen(name)
    cdef const FieldC* field
    cdef uint32_t index
    for index in range(head.field_count):
        field = &head.fields[index]
        if field.name.size == size and not field.flags & FIELD_REMOVED and equals_ignoring_case(
                data + field.name.at, <const uint8_t*>name, size):
            return field
    return NULL


cdef bint retry_fits_headers(const RetryPolicyC* policy, const HeadC* head, const uint8_t* data) noexcept nogil:
    if policy.conditions & RETRY_ON_HEADERS and has_retriable_header(policy, head, data):
        return True
    return policy.grpc_statuses and policy.grpc_statuses >> grpc_status_of(head, data) & 1


cdef uint32_t grpc_status_of(const HeadC* head, const uint8_t* data) noexcept nogil:
    """Of an answer without a message, whose trailers are its head; 0 where it says none of those that there are."""
    cdef const FieldC* field = retry_find_field(head, data, b"grpc-status")
    cdef uint32_t status = 0
    cdef uint32_t index
    if field == NULL or field.value.size > 2:
        return 0
    for index in range(field.value.size):
        if not c"0" <= data[field.value.at + index] <= c"9":
            return 0
        status = status * 10 + data[field.value.at + index] - c"0"
    return status if status < GRPC_STATUS_COUNT else 0


cdef bint has_retriable_header(const RetryPolicyC* policy, const HeadC* head, const uint8_t* data) noexcept nogil:
    cdef RequestViewC view
    cdef uint32_t index
    memset(&view, 0, sizeof(RequestViewC))
    view.head = head
    view.data = data
    for index in range(policy.header_count):
        if header_fits(&policy.headers[index], &view):
            return True
    return False


cdef int64_t retry_wait_asked_for(const StreamC* stream, const HeadC* head, const uint8_t* data) noexcept nogil:
    cdef const FieldC* field
    if not stream.retry.max_retry_after_ms:
        return -1
    field = retry_find_field(head, data, b"retry-after")
    if field == NULL:
        return -1
    return retry_after_parse(data + field.value.at, field.value.size, time(NULL))

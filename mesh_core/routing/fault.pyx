"""Which faults a request meets; the contract stands in fault.pxd."""

from mesh_core.http1.grammar cimport parse_decimal
from mesh_core.http1.serialize cimport TextC
from mesh_core.routing.header_find cimport header_find
from mesh_core.routing.header_match cimport header_fits

cdef const char* DELAY = b"x-envoy-fault-delay-request"
cdef const char* DELAY_PERCENTAGE = b"x-envoy-fault-delay-request-percentage"
cdef const char* ABORT = b"x-envoy-fault-abort-request"
cdef const char* ABORT_PERCENTAGE = b"x-envoy-fault-abort-request-percentage"


cdef bint fault_applies(const FaultC* fault, const RequestViewC* request) noexcept nogil:
    cdef uint32_t index
    for index in range(fault.header_count):
        if not header_fits(&fault.headers[index], request):
            return False
    return True


cdef uint32_t fault_delay(const FaultC* fault, const RequestViewC* request, uint64_t* random) noexcept nogil:
    cdef uint64_t delay_ms = fault.delay_ms
    cdef uint32_t ppm = fault.delay_ppm if delay_ms else WHOLE_PPM
    if fault.by_request_headers:
        number_of(request, DELAY, 0, FAULT_DELAY_MOST_MS, &delay_ms)
        ppm = percentage_of(request, DELAY_PERCENTAGE, ppm)
    return <uint32_t>delay_ms if delay_ms and draw(ppm, random) else 0


cdef uint16_t fault_abort(const FaultC* fault, const RequestViewC* request, uint64_t* random) noexcept nogil:
    cdef uint64_t status = fault.abort_status
    cdef uint32_t ppm = fault.abort_ppm if status else WHOLE_PPM
    if fault.by_request_headers:
        number_of(request, ABORT, 200, 599, &status)
        ppm = percentage_of(request, ABORT_PERCENTAGE, ppm)
    return <uint16_t>status if status and draw(ppm, random) else 0


cdef void number_of(
    const RequestViewC* request, const char* name, uint64_t least, uint64_t most, uint64_t* out
) noexcept nogil:
    """The number that a header gives, if it has one within these bounds; else `out` stays."""
    cdef TextC text
    cdef uint64_t number
    if header_find(request, name, &text) and parse_decimal(text.bytes, text.size, &number) and least <= number <= most:
        out[0] = number


cdef uint32_t percentage_of(const RequestViewC* request, const char* name, uint32_t most_ppm) noexcept nogil:
    """The part that a header asks for, if that is smaller."""
    cdef uint64_t percent = 100
    number_of(request, name, 0, 100, &percent)
    return min(most_ppm, <uint32_t>percent * (WHOLE_PPM // 100))

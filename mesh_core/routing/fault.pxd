"""Which faults a request meets. Worker thread, no GIL."""

from libc.stdint cimport uint16_t, uint32_t, uint64_t
from mesh_core.routing.header_match cimport HeaderMatchC
from mesh_core.routing.request_view cimport RequestViewC
from mesh_core.upstream.hashing cimport multiply_high, random_next

cdef enum:
    WHOLE_PPM = 1000000        # parts of a million that are everything
    FAULT_DELAY_MOST_MS = 3600000


# Owner: the snapshot.
cdef struct FaultC:
    uint32_t delay_ms          # 0: none
    uint32_t delay_ppm
    uint16_t abort_status      # 0: none
    uint32_t abort_ppm
    const HeaderMatchC* headers  # that a request must have, all of them
    uint32_t header_count
    bint by_request_headers
    uint64_t max_active        # 0: no limit
    uint64_t* active           # requests that are delayed now, in all workers; written atomically


# One draw of lots: True for `ppm` of a million. `random` is the state of random_next.
cdef inline bint draw(uint32_t ppm, uint64_t* random) noexcept nogil:
    return ppm >= <uint32_t>WHOLE_PPM or (ppm and multiply_high(random_next(random), WHOLE_PPM) < ppm)


# Whether the request is one that the fault is for.
cdef bint fault_applies(const FaultC* fault, const RequestViewC* request) noexcept nogil

# Milliseconds by which the request is to be delayed; 0: not at all. Draws a lot.
cdef uint32_t fault_delay(const FaultC* fault, const RequestViewC* request, uint64_t* random) noexcept nogil

# The status that is to answer the request; 0: none. Draws a lot.
cdef uint16_t fault_abort(const FaultC* fault, const RequestViewC* request, uint64_t* random) noexcept nogil

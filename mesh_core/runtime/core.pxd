"""What one worker thread owns and everything on its data path borrows."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from mesh_core.runtime.byte_queue cimport BlockPoolC
from mesh_core.runtime.pipe_pool cimport PipePoolC
from mesh_core.runtime.reactor cimport ReactorC
from mesh_core.runtime.ring cimport RingC
from mesh_core.telemetry.request_capture cimport CapturePoolC
from mesh_core.telemetry.request_id cimport RequestIdsC
from mesh_core.telemetry.request_metrics cimport RequestMetricsC

cdef enum:
    WORKERS_MOST = 256         # in one process
    SCRATCH_BYTES = 262144     # a large buffer for receiving; nothing stays in it past one call


# Owner: WorkerC.
cdef struct CoreC:
    ReactorC reactor
    BlockPoolC blocks
    PipePoolC pipes
    uint8_t* scratch           # SCRATCH_BYTES; owned
    uint8_t* plain             # with TLS, bytes in the clear: SCRATCH_BYTES; part of `scratch`
    uint8_t* wire              # with TLS, records to be sent: SCRATCH_BYTES; part of `scratch`
    RingC access_ring
    CapturePoolC captures      # for the access records of requests
    RequestMetricsC request_metrics
    RequestIdsC request_ids
    int notify_fd              # eventfd that wakes the control thread; borrowed
    uint64_t* stats            # this worker's counters of the SERVER scope; borrowed
    uint32_t index             # which worker, from 0
    uint64_t random            # state for random_next
    uint64_t next_connection_id  # grows by WORKERS_MOST: no two workers give the same


# 0, or an errno (ENOMEM, EMFILE …); on failure nothing stays allocated.
cdef int core_init(
    CoreC* core, uint32_t index, uint64_t ring_bytes, uint32_t series_limit, int notify_fd, uint64_t* stats
) noexcept nogil
cdef void core_destroy(CoreC* core) noexcept nogil

# Wake the control thread.
cdef void core_notify(CoreC* core) noexcept nogil

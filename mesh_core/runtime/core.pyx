"""What one worker thread owns; the contract stands in core.pxd."""

from libc.string cimport memset
from mesh_core.includes.linux cimport ENOMEM, write
from mesh_core.runtime.byte_queue cimport block_pool_destroy
from mesh_core.runtime.clock cimport monotonic_us
from mesh_core.runtime.memory cimport memory_alloc, memory_free
from mesh_core.runtime.pipe_pool cimport pipe_pool_destroy
from mesh_core.runtime.reactor cimport reactor_destroy, reactor_init
from mesh_core.runtime.ring cimport ring_destroy, ring_init
from mesh_core.telemetry.request_capture cimport capture_pool_destroy
from mesh_core.telemetry.request_id cimport request_ids_init
from mesh_core.telemetry.request_metrics cimport request_metrics_destroy, request_metrics_init


cdef int core_init(
    CoreC* core, uint32_t index, uint64_t ring_bytes, uint32_t series_limit, int notify_fd, uint64_t* stats
) noexcept nogil:
    cdef int error
    memset(core, 0, sizeof(CoreC))
    core.index = index
    core.random = <uint64_t>monotonic_us() * WORKERS_MOST + index
    core.next_connection_id = index
    core.stats = stats
    core.notify_fd = notify_fd
    error = allocate(core, ring_bytes, series_limit)
    if not error:
        error = request_ids_init(&core.request_ids)
    if not error:
        error = reactor_init(&core.reactor)
    if error:
        release(core)
    return error


cdef int allocate(CoreC* core, uint64_t ring_bytes, uint32_t series_limit) noexcept nogil:
    # Without TLS the last two thirds are never touched, so they take no memory.
    core.scratch = <uint8_t*>memory_alloc(3 * SCRATCH_BYTES)
    if core.scratch == NULL or ring_init(&core.access_ring, ring_bytes, core.notify_fd) < 0:
        return ENOMEM
    core.plain = core.scratch + SCRATCH_BYTES
    core.wire = core.plain + SCRATCH_BYTES
    return ENOMEM if request_metrics_init(&core.request_metrics, series_limit) < 0 else 0


cdef void release(CoreC* core) noexcept nogil:
    ring_destroy(&core.access_ring)
    request_metrics_destroy(&core.request_metrics)
    memory_free(core.scratch)
    core.scratch = NULL


cdef void core_destroy(CoreC* core) noexcept nogil:
    reactor_destroy(&core.reactor)
    block_pool_destroy(&core.blocks)
    pipe_pool_destroy(&core.pipes)
    capture_pool_destroy(&core.captures)
    release(core)


cdef void core_notify(CoreC* core) noexcept nogil:
    cdef uint64_t one = 1
    write(core.notify_fd, &one, sizeof(one))

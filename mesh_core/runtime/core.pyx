"""What one worker thread owns; the contract stands in core.pxd."""

from libc.string cimport memset
from mesh_core.includes.linux cimport ENOMEM, write
from mesh_core.runtime.byte_queue cimport block_pool_destroy
from mesh_core.runtime.clock cimport monotonic_us
from mesh_core.runtime.memory cimport memory_alloc, memory_free
from mesh_core.runtime.pipe_pool cimport pipe_pool_destroy
from mesh_core.runtime.reactor cimport reactor_destroy, reactor_init
from mesh_core.runtime.ring cimport ring_destroy, ring_init


cdef int core_init(CoreC* core, uint32_t index, uint64_t ring_bytes, int notify_fd, uint64_t* stats) noexcept nogil:
    cdef int error
    memset(core, 0, sizeof(CoreC))
    core.index = index
    core.random = <uint64_t>monotonic_us() * WORKERS_MOST + index
    core.next_connection_id = index
    core.stats = stats
    core.notify_fd = notify_fd
    # Without TLS the last two thirds are never touched, so they take no memory.
    core.scratch = <uint8_t*>memory_alloc(3 * SCRATCH_BYTES)
    if core.scratch == NULL:
        return ENOMEM
    core.plain = core.scratch + SCRATCH_BYTES
    core.wire = core.plain + SCRATCH_BYTES
    if ring_init(&core.access_ring, ring_bytes, notify_fd) < 0:
        memory_free(core.scratch)
        return ENOMEM
    error = reactor_init(&core.reactor)
    if error:
        memory_free(core.scratch)
        ring_destroy(&core.access_ring)
    return error


cdef void core_destroy(CoreC* core) noexcept nogil:
    reactor_destroy(&core.reactor)
    block_pool_destroy(&core.blocks)
    pipe_pool_destroy(&core.pipes)
    ring_destroy(&core.access_ring)
    memory_free(core.scratch)
    core.scratch = NULL


cdef void core_notify(CoreC* core) noexcept nogil:
    cdef uint64_t one = 1
    write(core.notify_fd, &one, sizeof(one))

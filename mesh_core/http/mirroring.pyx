"""A request that is kept to be copied; the contract stands in mirroring.pxd."""

from libc.string cimport memcpy
from mesh_core.runtime.memory cimport memory_alloc, memory_free
from mesh_core.snapshot.shared_count cimport shared_count_leave

cdef enum:
    FIRST_BYTES = 2048


cdef void mirroring_put(MirroringC* mirroring, const uint8_t* data, size_t size) noexcept nogil:
    cdef size_t wanted = mirroring.size + size
    cdef size_t capacity = max(mirroring.capacity, <size_t>FIRST_BYTES)
    cdef uint8_t* larger
    if mirroring.lost:
        return
    while capacity < wanted:
        capacity *= 2
    if wanted > mirroring.head_bytes + mirroring.limit:
        lose(mirroring)
        return
    if capacity != mirroring.capacity:
        larger = <uint8_t*>memory_alloc(capacity)
        if larger == NULL:
            lose(mirroring)
            return
        if mirroring.size:
            memcpy(larger, mirroring.data, mirroring.size)
        memory_free(mirroring.data)
        mirroring.data = larger
        mirroring.capacity = capacity
    memcpy(mirroring.data + mirroring.size, data, size)
    mirroring.size = wanted


cdef void lose(MirroringC* mirroring) noexcept nogil:
    mirroring.lost = True
    memory_free(mirroring.data)
    mirroring.data = NULL


cdef void mirroring_end(MirroringC* mirroring, int stat) noexcept nogil:
    cdef uint32_t index
    for index in range(mirroring.mirrors.count):
        if mirroring.chosen >> index & 1:
            mirroring.mirrors.mirrors[index].stats[mirroring.worker][stat] += 1
            shared_count_leave(mirroring.mirrors.mirrors[index].active)
    memory_free(mirroring.data)
    memory_free(mirroring)

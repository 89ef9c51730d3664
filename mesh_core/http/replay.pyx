"""What has been written of a request for its upstream; the contract stands in replay.pxd."""

from libc.string cimport memcpy
from mesh_core.runtime.memory cimport memory_alloc, memory_free

cdef enum:
    CAPACITY_LEAST = 1024


cdef bint replay_put(ReplayC* replay, const uint8_t* data, size_t size) noexcept nogil:
    cdef size_t capacity = max(replay.capacity, <size_t>CAPACITY_LEAST)
    cdef uint8_t* larger
    while capacity < replay.size + size:
        capacity *= 2
    if capacity != replay.capacity:
        larger = <uint8_t*>memory_alloc(capacity)
        if larger == NULL:
            return False
        if replay.size:
            memcpy(larger, replay.data, replay.size)
        memory_free(replay.data)
        replay.data = larger
        replay.capacity = capacity
    memcpy(replay.data + replay.size, data, size)
    replay.size += size
    return True


cdef void replay_free(ReplayC* replay) noexcept nogil:
    memory_free(replay.data)
    replay.data = NULL
    replay.size = replay.capacity = 0

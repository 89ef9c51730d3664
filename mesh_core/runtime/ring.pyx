"""A bounded ring of records between two threads; the contract stands in ring.pxd.

A record is a 4-byte size, 4 bytes of padding and its payload rounded up to 8 bytes. One that would cross the end
of the memory starts at its beginning, after a marker that sends the consumer there.
"""

from mesh_core.includes.atomic cimport (
    exchange_u32, full_fence, load_acquire_u32, load_acquire_u64, store_release_u32, store_release_u64,
)
from mesh_core.includes.linux cimport write
from mesh_core.runtime.debug cimport require
from mesh_core.runtime.memory cimport memory_alloc, memory_free

cdef enum:
    HEADER_BYTES = 8

cdef uint32_t WRAP = 0xFFFFFFFF


cdef inline uint64_t record_bytes(uint32_t size) noexcept nogil:
    return HEADER_BYTES + ((<uint64_t>size + 7) & ~<uint64_t>7)


cdef int ring_init(RingC* ring, uint64_t capacity, int event_fd) noexcept nogil:
    ring.data = <uint8_t*>memory_alloc(capacity)
    ring.capacity = capacity
    ring.event_fd = event_fd
    ring.armed = 1
    return 0 if ring.data != NULL else -1


cdef void ring_destroy(RingC* ring) noexcept nogil:
    memory_free(ring.data)
    ring.data = NULL


cdef void* ring_reserve(RingC* ring, uint32_t size) noexcept nogil:
    cdef uint64_t need = record_bytes(size)
    cdef uint64_t offset = ring.head & (ring.capacity - 1)
    cdef uint64_t skip = 0
    if ring.capacity - offset < need:
        skip = ring.capacity - offset
    if ring.head + skip + need - ring.tail_seen > ring.capacity:
        ring.tail_seen = load_acquire_u64(&ring.tail)
        if ring.head + skip + need - ring.tail_seen > ring.capacity:
            store_release_u64(&ring.dropped, ring.dropped + 1)
            return NULL
    if skip:
        (<uint32_t*>(ring.data + offset))[0] = WRAP
        store_release_u64(&ring.head, ring.head + skip)
        offset = 0
    return ring.data + offset + HEADER_BYTES


cdef void ring_commit(RingC* ring, uint32_t size) noexcept nogil:
    cdef uint64_t one = 1
    (<uint32_t*>(ring.data + (ring.head & (ring.capacity - 1))))[0] = size
    store_release_u64(&ring.head, ring.head + record_bytes(size))
    # Orders the record before the look at `armed`: the consumer arms first and looks for records after.
    full_fence()
    if load_acquire_u32(&ring.armed) and exchange_u32(&ring.armed, 0):
        write(ring.event_fd, &one, sizeof(one))


cdef const void* ring_peek(RingC* ring, uint32_t* size) noexcept nogil:
    cdef uint64_t offset
    while ring.tail != load_acquire_u64(&ring.head):
        offset = ring.tail & (ring.capacity - 1)
        size[0] = (<uint32_t*>(ring.data + offset))[0]
        if size[0] != WRAP:
            return ring.data + offset + HEADER_BYTES
        store_release_u64(&ring.tail, ring.tail + ring.capacity - offset)
    return NULL


cdef void ring_consume(RingC* ring) noexcept nogil:
    cdef uint32_t size = (<uint32_t*>(ring.data + (ring.tail & (ring.capacity - 1))))[0]
    require(size != WRAP and record_bytes(size) <= load_acquire_u64(&ring.head) - ring.tail)
    store_release_u64(&ring.tail, ring.tail + record_bytes(size))


cdef bint ring_arm(RingC* ring) noexcept nogil:
    store_release_u32(&ring.armed, 1)
    full_fence()
    return ring.tail != load_acquire_u64(&ring.head)

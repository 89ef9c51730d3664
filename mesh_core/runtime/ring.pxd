"""A bounded ring of records from one thread to another, with an eventfd that wakes the reader.

One producer (a worker), one consumer (the control thread). The producer never waits: what does not fit is dropped
and counted. Only the first record after the consumer has armed the ring costs a system call, so a consumer that
collects every few milliseconds makes records nearly free.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t


# Owner: the Python Worker, which frees it after its thread has ended.
cdef struct RingC:
    uint8_t* data
    uint64_t capacity          # bytes, a power of two
    int event_fd               # borrowed
    uint8_t pad0[44]
    # The producer's line.
    uint64_t head              # bytes ever written; shared
    uint64_t tail_seen         # producer's copy of tail
    uint64_t dropped           # records that found no room; shared
    uint8_t pad1[40]
    # The consumer's line.
    uint64_t tail              # bytes ever consumed; shared
    uint32_t armed             # the consumer sleeps and wants the eventfd written; shared


# `capacity` is a power of two of at least 4096. 0, or -1 when memory is exhausted.
cdef int ring_init(RingC* ring, uint64_t capacity, int event_fd) noexcept nogil
cdef void ring_destroy(RingC* ring) noexcept nogil

# Producer: room for one record of `size` bytes, 8-byte aligned, or NULL (counted as dropped). A record of more than
# half the capacity may find no room even in an empty ring.
cdef void* ring_reserve(RingC* ring, uint32_t size) noexcept nogil
# Producer: publish the record just reserved, of its first `size` bytes.
cdef void ring_commit(RingC* ring, uint32_t size) noexcept nogil

# Consumer: the oldest record and its size, or NULL when empty.
cdef const void* ring_peek(RingC* ring, uint32_t* size) noexcept nogil
# Consumer: done with the record that ring_peek gave.
cdef void ring_consume(RingC* ring) noexcept nogil
# Consumer: ask for the eventfd at the next record. True when records came meanwhile: collect once more.
cdef bint ring_arm(RingC* ring) noexcept nogil

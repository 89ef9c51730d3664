"""Bytes that wait: a chain of fixed blocks out of a pool that belongs to one worker.

A queue allocates only while it holds bytes; an empty one costs its three words. Worker thread, no GIL.
"""

from libc.stdint cimport uint8_t, uint32_t
from mesh_core.includes.linux cimport iovec

cdef enum:
    BLOCK_BYTES = 16384        # one block, header included
    BLOCKS_KEPT = 16           # free blocks that a pool keeps; the rest goes back to the heap at once


cdef struct BlockC:
    BlockC* next
    uint32_t start             # first byte not yet consumed
    uint32_t end               # one past the last byte written


# Owner: CoreC, one for each worker. Owns the free blocks only.
cdef struct BlockPoolC:
    BlockC* free
    uint32_t free_count


# Owner: the struct that it is embedded in, which must call byte_queue_clear before it goes.
cdef struct ByteQueueC:
    BlockC* head
    BlockC* tail
    size_t size


# Copy `size` bytes to the end. 0, or -1 when memory is exhausted (then nothing was added).
cdef int byte_queue_append(BlockPoolC* pool, ByteQueueC* queue, const uint8_t* data, size_t size) noexcept nogil

# Describe the first bytes in at most `limit` pieces; returns how many were filled in.
cdef int byte_queue_pieces(const ByteQueueC* queue, iovec* pieces, int limit) noexcept nogil

# Copy the first bytes, at most `limit`, without consuming them; returns how many.
cdef size_t byte_queue_peek(const ByteQueueC* queue, uint8_t* out, size_t limit) noexcept nogil

# Drop the first `size` bytes (at most queue.size), giving emptied blocks back to the pool.
cdef void byte_queue_consume(BlockPoolC* pool, ByteQueueC* queue, size_t size) noexcept nogil

# Drop everything.
cdef void byte_queue_clear(BlockPoolC* pool, ByteQueueC* queue) noexcept nogil

# Free the pool's spare blocks; all its queues must be empty.
cdef void block_pool_destroy(BlockPoolC* pool) noexcept nogil

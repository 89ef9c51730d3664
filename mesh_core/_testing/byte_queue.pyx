"""Byte queues and their pool, from Python."""

from mesh_core.includes.linux cimport iovec
cimport mesh_core.runtime.byte_queue as byte_queue

BLOCK_BYTES = byte_queue.BLOCK_BYTES
BLOCKS_KEPT = byte_queue.BLOCKS_KEPT

cdef class BlockPool:
    cdef byte_queue.BlockPoolC pool

    def __dealloc__(self):
        byte_queue.block_pool_destroy(&self.pool)

    @property
    def free_count(self):
        return self.pool.free_count


cdef class ByteQueue:
    cdef BlockPool owner
    cdef byte_queue.ByteQueueC queue

    def __cinit__(self, BlockPool pool not None):
        self.owner = pool

    def __dealloc__(self):
        if self.owner is not None:
            byte_queue.byte_queue_clear(&self.owner.pool, &self.queue)

    def append(self, bytes data):
        if byte_queue.byte_queue_append(&self.owner.pool, &self.queue, data, len(data)) < 0:
            raise MemoryError()

    def peek(self, size_t limit):
        cdef bytearray out = bytearray(limit)
        cdef size_t size = byte_queue.byte_queue_peek(&self.queue, out, limit)
        return bytes(out[:size])

    def pieces(self, int limit):
        cdef iovec found[64]
        cdef int count = byte_queue.byte_queue_pieces(&self.queue, found, min(limit, 64))
        return [(<const char*>found[index].iov_base)[:found[index].iov_len] for index in range(count)]

    def consume(self, size_t size):
        byte_queue.byte_queue_consume(&self.owner.pool, &self.queue, size)

    def clear(self):
        byte_queue.byte_queue_clear(&self.owner.pool, &self.queue)

    def __len__(self):
        return self.queue.size

"""Bytes that wait; the contract stands in byte_queue.pxd."""

from libc.string cimport memcpy
from mesh_core.runtime.memory cimport memory_alloc, memory_free

cdef enum:
    BLOCK_CAPACITY = BLOCK_BYTES - sizeof(BlockC)


cdef inline uint8_t* block_data(BlockC* block) noexcept nogil:
    return <uint8_t*>(block + 1)


cdef BlockC* block_take(BlockPoolC* pool) noexcept nogil:
    cdef BlockC* block = pool.free
    if block == NULL:
        return <BlockC*>memory_alloc(BLOCK_BYTES)
    pool.free = block.next
    pool.free_count -= 1
    block.next = NULL
    block.start = block.end = 0
    return block


cdef void block_give(BlockPoolC* pool, BlockC* block) noexcept nogil:
    if pool.free_count >= BLOCKS_KEPT:
        memory_free(block)
        return
    block.next = pool.free
    pool.free = block
    pool.free_count += 1


cdef int reserve(BlockPoolC* pool, ByteQueueC* queue, size_t size) noexcept nogil:
    """Make room for `size` bytes behind the tail: a chain of empty blocks, or nothing at all."""
    cdef BlockC* first = NULL
    cdef BlockC* block
    cdef size_t room = BLOCK_CAPACITY - queue.tail.end if queue.tail != NULL else 0
    while room < size:
        block = block_take(pool)
        if block == NULL:
            while first != NULL:
                block = first
                first = block.next
                block_give(pool, block)
            return -1
        block.next = first
        first = block
        room += BLOCK_CAPACITY
    if queue.tail == NULL:
        queue.head = queue.tail = first
    else:
        queue.tail.next = first
    return 0


cdef int byte_queue_append(BlockPoolC* pool, ByteQueueC* queue, const uint8_t* data, size_t size) noexcept nogil:
    cdef BlockC* block
    cdef size_t part
    if size == 0:
        return 0
    if reserve(pool, queue, size) < 0:
        return -1
    queue.size += size
    block = queue.tail
    while size:
        part = BLOCK_CAPACITY - block.end
        if part == 0:
            block = block.next
            continue
        part = min(part, size)
        memcpy(block_data(block) + block.end, data, part)
        block.end += <uint32_t>part
        data += part
        size -= part
    queue.tail = block
    return 0


cdef int byte_queue_pieces(const ByteQueueC* queue, iovec* pieces, int limit) noexcept nogil:
    cdef BlockC* block = queue.head
    cdef int count = 0
    while block != NULL and count < limit:
        pieces[count].iov_base = block_data(block) + block.start
        pieces[count].iov_len = block.end - block.start
        count += 1
        block = block.next
    return count


cdef size_t byte_queue_peek(const ByteQueueC* queue, uint8_t* out, size_t limit) noexcept nogil:
    cdef BlockC* block = queue.head
    cdef size_t copied = 0
    cdef size_t part
    while block != NULL and copied < limit:
        part = min(<size_t>(block.end - block.start), limit - copied)
        memcpy(out + copied, block_data(block) + block.start, part)
        copied += part
        block = block.next
    return copied


cdef void byte_queue_consume(BlockPoolC* pool, ByteQueueC* queue, size_t size) noexcept nogil:
    cdef BlockC* block
    cdef size_t held
    size = min(size, queue.size)
    queue.size -= size
    while size:
        block = queue.head
        held = block.end - block.start
        if size < held:
            block.start += <uint32_t>size
            return
        size -= held
        queue.head = block.next
        block_give(pool, block)
    if queue.size == 0:
        queue.head = queue.tail = NULL


cdef void byte_queue_clear(BlockPoolC* pool, ByteQueueC* queue) noexcept nogil:
    byte_queue_consume(pool, queue, queue.size)


cdef void block_pool_destroy(BlockPoolC* pool) noexcept nogil:
    cdef BlockC* block
    while pool.free != NULL:
        block = pool.free
        pool.free = block.next
        memory_free(block)
    pool.free_count = 0

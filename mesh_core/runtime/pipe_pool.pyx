"""Kernel pipes for splice(2); the contract stands in pipe_pool.pxd."""

from mesh_core.includes.linux cimport F_SETPIPE_SZ, O_CLOEXEC, O_NONBLOCK, close, fcntl, pipe2
from mesh_core.runtime.debug cimport require
from mesh_core.runtime.memory cimport memory_alloc, memory_free


cdef void pipe_destroy(PipePoolC* pool, PipeC* pipe) noexcept nogil:
    close(pipe.read_fd)
    close(pipe.write_fd)
    memory_free(pipe)
    pool.live -= 1
    pool.pause = 0


cdef PipeC* pipe_create(PipePoolC* pool) noexcept nogil:
    cdef int fds[2]
    cdef int capacity
    cdef PipeC* pipe
    if pool.live >= PIPES_LIVE:
        return NULL
    if pool.pause:
        pool.pause -= 1
        return NULL
    if pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0:
        pool.pause = PIPE_PAUSE
        return NULL
    if pool.descriptor_limit and max(fds[0], fds[1]) >= pool.descriptor_limit:
        close(fds[0])
        close(fds[1])
        pool.pause = PIPE_PAUSE
        return NULL
    capacity = fcntl(fds[1], F_SETPIPE_SZ, <int>PIPE_BYTES)
    if capacity < 0:
        capacity = fcntl(fds[1], F_SETPIPE_SZ, <int>PIPE_BYTES_LEAST)
    pipe = <PipeC*>memory_alloc(sizeof(PipeC)) if capacity >= PIPE_BYTES_LEAST else NULL
    if pipe == NULL:
        close(fds[0])
        close(fds[1])
        pool.pause = PIPE_PAUSE
        return NULL
    pipe.read_fd = fds[0]
    pipe.write_fd = fds[1]
    pipe.capacity = <uint32_t>capacity
    pool.live += 1
    return pipe


cdef PipeC* pipe_take(PipePoolC* pool) noexcept nogil:
    cdef PipeC* pipe = pool.free
    if pipe == NULL:
        return pipe_create(pool)
    pool.free = pipe.next
    pool.free_count -= 1
    pipe.next = NULL
    return pipe


cdef void pipe_give(PipePoolC* pool, PipeC* pipe) noexcept nogil:
    require(pipe.next == NULL and pipe.filled <= pipe.capacity)
    if pipe.filled or pool.free_count >= PIPES_KEPT:
        pipe_destroy(pool, pipe)
        return
    pipe.next = pool.free
    pool.free = pipe
    pool.free_count += 1


cdef void pipe_pool_destroy(PipePoolC* pool) noexcept nogil:
    cdef PipeC* pipe
    while pool.free != NULL:
        pipe = pool.free
        pool.free = pipe.next
        pipe_destroy(pool, pipe)
    pool.free_count = 0

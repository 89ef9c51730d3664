"""Kernel pipes for splice(2), pooled because making and sizing one costs three system calls.

Worker thread, no GIL.
"""

from libc.stdint cimport uint32_t

cdef enum:
    PIPE_BYTES = 1 << 20       # asked of the kernel: /proc/sys/fs/pipe-max-size, the unprivileged bound
    PIPE_BYTES_LEAST = 1 << 17  # a smaller one (user's pipe quota spent) is not worth the two calls
    PIPES_KEPT = 32            # free pipes that a pool keeps
    PIPES_LIVE = 512           # pipes that one worker has at the most; then streams are copied
    PIPE_PAUSE = 4096


cdef struct PipeC:
    PipeC* next
    int read_fd
    int write_fd
    uint32_t capacity
    uint32_t filled            # bytes inside now


# Owner: CoreC.
cdef struct PipePoolC:
    PipeC* free
    uint32_t free_count
    uint32_t live
    int descriptor_limit       # pipes stay below this number; 0: no bound
    uint32_t pause             # how many requests go unanswered after the kernel refused a large pipe


# An empty pipe, or NULL when there is none to be had (bounds, descriptors, memory, quota). The caller owns it.
cdef PipeC* pipe_take(PipePoolC* pool) noexcept nogil

# Take a pipe back; one that still holds bytes is closed, as these belong to nobody.
cdef void pipe_give(PipePoolC* pool, PipeC* pipe) noexcept nogil

cdef void pipe_pool_destroy(PipePoolC* pool) noexcept nogil

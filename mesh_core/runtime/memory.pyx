"""Counted heap memory for the compiled core; the contract stands in memory.pxd."""

from libc.stdint cimport uint64_t
from libc.stdlib cimport calloc, free
from mesh_core.includes.atomic cimport fetch_add_u64, fetch_sub_u64, load_relaxed_u64, store_relaxed_u64

cdef uint64_t live = 0
# How many more allocations succeed before one fails; the top bit set means that none is made to fail.
cdef uint64_t NEVER = <uint64_t>1 << 63
cdef uint64_t until_failure = NEVER


cdef void* memory_alloc(size_t size) noexcept nogil:
    cdef void* block
    if memory_refuses():
        return NULL
    block = calloc(1, size)
    if block != NULL:
        fetch_add_u64(&live, 1)
    return block


cdef bint memory_refuses() noexcept nogil:
    if load_relaxed_u64(&until_failure) >= NEVER:
        return False
    if load_relaxed_u64(&until_failure) == 0:
        return True
    fetch_sub_u64(&until_failure, 1)
    return False


cdef void memory_free(void* block) noexcept nogil:
    if block != NULL:
        fetch_sub_u64(&live, 1)
        free(block)


def live_allocations():
    """How many blocks of the compiled core are allocated now, in the whole process (int)."""
    return load_relaxed_u64(&live)


def fail_allocations_after_for_test(count):
    """Make every allocation after the next `count` fail; None lets all succeed again."""
    store_relaxed_u64(&until_failure, NEVER if count is None else <uint64_t>count)

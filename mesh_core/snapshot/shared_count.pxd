"""A number that all workers change together, outliving the snapshots that point to it."""

from libc.stdint cimport uint64_t
from mesh_core.includes.atomic cimport fetch_add_u64, fetch_sub_u64, load_relaxed_u64
from mesh_core.runtime.debug cimport require


cdef class SharedCount:
    cdef object __weakref__
    cdef uint64_t value        # written atomically by workers


# Worker: one more, unless that would pass `limit` (0: none). True when it was counted.
cdef inline bint shared_count_enter(uint64_t* count, uint64_t limit) noexcept nogil:
    if fetch_add_u64(count, 1) >= limit and limit:
        fetch_sub_u64(count, 1)
        return False
    return True


cdef inline void shared_count_leave(uint64_t* count) noexcept nogil:
    require(load_relaxed_u64(count) > 0)
    fetch_sub_u64(count, 1)

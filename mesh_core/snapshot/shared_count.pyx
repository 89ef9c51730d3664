"""A number that all workers change together; the contract stands in shared_count.pxd."""

from mesh_core.includes.atomic cimport fetch_add_u64, fetch_sub_u64, load_relaxed_u64
from mesh_core.runtime.debug cimport require


cdef bint shared_count_enter(uint64_t* count, uint64_t limit) noexcept nogil:
    if fetch_add_u64(count, 1) >= limit and limit:
        fetch_sub_u64(count, 1)
        return False
    return True


cdef void shared_count_leave(uint64_t* count) noexcept nogil:
    require(load_relaxed_u64(count) > 0)
    fetch_sub_u64(count, 1)


cdef class SharedCount:
    """How many there are now; `int(count)` reads it."""

    def __int__(self):
        return load_relaxed_u64(&self.value)

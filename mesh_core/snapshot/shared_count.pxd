"""A number that all workers change together, outliving the snapshots that point to it."""

from libc.stdint cimport uint64_t


cdef class SharedCount:
    cdef object __weakref__
    cdef uint64_t value        # written atomically by workers


# Worker: one more, unless that would pass `limit` (0: none). True when it was counted.
cdef bint shared_count_enter(uint64_t* count, uint64_t limit) noexcept nogil
cdef void shared_count_leave(uint64_t* count) noexcept nogil

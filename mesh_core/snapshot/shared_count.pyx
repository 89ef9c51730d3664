"""A number that all workers change together; the contract stands in shared_count.pxd."""

from mesh_core.includes.atomic cimport load_relaxed_u64


cdef class SharedCount:
    """How many there are now; `int(count)` reads it."""

    def __int__(self):
        return load_relaxed_u64(&self.value)

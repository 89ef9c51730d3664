"""Counted heap memory for the compiled core.

Any thread, with or without the GIL. Every block that mesh_core's C structs own comes from here, so that a test
can see what was not given back, and can make an allocation fail.
"""


# A zeroed block of `size` bytes, or NULL. The caller owns it until it calls memory_free.
cdef void* memory_alloc(size_t size) noexcept nogil

# For those who divide blocks: whether a test wants the next piece to be refused, as memory_alloc would be.
cdef bint memory_refuses() noexcept nogil

# Gives back a block of memory_alloc; NULL is allowed.
cdef void memory_free(void* block) noexcept nogil

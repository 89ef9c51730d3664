"""Memory for tables that are made together and freed together: little by little out of large blocks.

What is made one after the other lies side by side, and a table of many thousands of routes takes few pages. One thread
at a time, with or without the GIL.
"""


cdef struct ArenaBlockC:
    ArenaBlockC* next


# Owner: whoever it is embedded in, who calls arena_free. Zeroed, it is empty.
cdef struct ArenaC:
    ArenaBlockC* blocks        # the newest first
    char* at                   # where the next piece may begin
    size_t left                # bytes from there to the block's end
    size_t block_bytes         # of the newest block that was not made for one piece


# `size` zeroed bytes that live until arena_free, or NULL when memory is exhausted. From 64 bytes on they begin at a
# cache line, below that at a multiple of 8, or of 16 from 16 on.
cdef void* arena_alloc(ArenaC* arena, size_t size) noexcept nogil

# Give all of it back; it is empty again.
cdef void arena_free(ArenaC* arena) noexcept nogil

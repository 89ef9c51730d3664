"""mesh_core.runtime.arena for tests."""

from libc.stdint cimport uint8_t, uintptr_t
from libc.string cimport memset
from mesh_core.runtime.arena cimport ArenaC, arena_alloc, arena_free


cdef class Arena:
    cdef ArenaC c

    def __dealloc__(self):
        arena_free(&self.c)

    def alloc(self, size_t size):
        """Return the address of a piece (int) and what stood in it (bytes), and fill it; None when memory is out."""
        cdef uint8_t* piece = <uint8_t*>arena_alloc(&self.c, size)
        if piece == NULL:
            return None
        found = bytes(piece[:size])
        memset(piece, 0xEE, size)
        return <uintptr_t>piece, found

    def free(self):
        arena_free(&self.c)

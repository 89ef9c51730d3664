"""Memory for tables that are made and freed together; the contract stands in arena.pxd."""

from mesh_core.runtime.memory cimport memory_alloc, memory_free, memory_refuses

# A sanitizer sees an access beyond a piece only where each piece is a block.
cdef extern from * nogil:
    """
    #ifdef __SANITIZE_ADDRESS__
    #define HOPMESH_ARENA_SHARED 0
    #elif defined(__has_feature)
    #if __has_feature(address_sanitizer)
    #define HOPMESH_ARENA_SHARED 0
    #endif
    #endif
    #ifndef HOPMESH_ARENA_SHARED
    #define HOPMESH_ARENA_SHARED 1
    #endif
    """
    const bint BLOCKS_SHARED "HOPMESH_ARENA_SHARED"

cdef enum:
    CACHE_LINE = 64
    FIRST_BLOCK_BYTES = 4096
    LAST_BLOCK_BYTES = 1048576


cdef void* arena_alloc(ArenaC* arena, size_t size) noexcept nogil:
    cdef size_t alignment = CACHE_LINE if size >= CACHE_LINE else 16 if size >= 16 else 8
    cdef size_t gap = -<size_t>arena.at & (alignment - 1)
    cdef char* piece
    if memory_refuses():
        return NULL
    if size == 0:
        size = 1
    if size > arena.left or gap > arena.left - size:
        if size > LAST_BLOCK_BYTES // 4 or not BLOCKS_SHARED:
            return block_add(arena, size)
        arena.block_bytes = min(max(arena.block_bytes * 2, <size_t>FIRST_BLOCK_BYTES), <size_t>LAST_BLOCK_BYTES)
        arena.block_bytes = max(arena.block_bytes, size + CACHE_LINE)
        arena.at = <char*>block_add(arena, arena.block_bytes)
        arena.left = arena.block_bytes if arena.at != NULL else 0
        if arena.at == NULL:
            return NULL
        gap = -<size_t>arena.at & (alignment - 1)
    piece = arena.at + gap
    arena.at += gap + size
    arena.left -= gap + size
    return piece


cdef char* block_add(ArenaC* arena, size_t size) noexcept nogil:
    """A new block with room for `size` bytes at a cache line; the room, or NULL."""
    cdef char* room
    cdef ArenaBlockC* block
    if size > <size_t>-1 - 2 * CACHE_LINE:
        return NULL
    block = <ArenaBlockC*>memory_alloc(size + 2 * CACHE_LINE if BLOCKS_SHARED else size + sizeof(ArenaBlockC) + 8)
    if block == NULL:
        return NULL
    block.next = arena.blocks
    arena.blocks = block
    room = <char*>(block + 1)
    if not BLOCKS_SHARED:
        return room + 8
    return room + (-<size_t>room & (CACHE_LINE - 1))


cdef void arena_free(ArenaC* arena) noexcept nogil:
    cdef ArenaBlockC* block
    while arena.blocks != NULL:
        block = arena.blocks
        arena.blocks = block.next
        memory_free(block)
    arena.at = NULL
    arena.left = arena.block_bytes = 0

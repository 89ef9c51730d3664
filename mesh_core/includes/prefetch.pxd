"""Hints to the processor that memory will be read soon: in chains of look-ups, and before system calls."""

cdef extern from * nogil:
    """
    #ifndef HOPMESH_PREFETCH
    #define HOPMESH_PREFETCH
    #include <stddef.h>
    #include <stdint.h>
    #define hm_prefetch(p) __builtin_prefetch(p)
    static inline void hm_prefetch_lines(const void *begin, size_t size) {
        for (uintptr_t line = (uintptr_t)begin; line < (uintptr_t)begin + size; line += 64)
            __builtin_prefetch((const void *)line);
    }
    #endif
    """
    # Any address is allowed, NULL too.
    void prefetch "hm_prefetch"(const void* p)

    # So too for `size` bytes from there on, in lines of the cache.
    void prefetch_lines "hm_prefetch_lines"(const void* begin, size_t size)

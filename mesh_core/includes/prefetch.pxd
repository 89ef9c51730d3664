"""A hint to the processor that memory will be read soon; for chains of look-ups in tables larger than its caches."""

cdef extern from * nogil:
    """
    #define hm_prefetch(p) __builtin_prefetch(p)
    """
    # Any address is allowed, NULL too.
    void prefetch "hm_prefetch"(const void* p)

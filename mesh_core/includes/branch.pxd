"""Which way the processor goes hardly ever, for the compiler to keep what is there out of the way of all else."""

cdef extern from * nogil:
    """
    #define hm_unlikely(condition) __builtin_expect(!!(condition), 0)
    """
    # The condition itself.
    bint unlikely "hm_unlikely"(bint condition)

"""Hints on branches: what hardly ever runs is kept out of the way of what every request runs, and made small."""

cdef extern from * nogil:
    """
    #ifndef HOPMESH_LIKELY
    #define HOPMESH_LIKELY
    /* For certain: a mere __builtin_expect leaves both in one piece of code. */
    #define hm_likely(condition) __builtin_expect_with_probability(!!(condition), 1, 1.0)
    #define hm_unlikely(condition) __builtin_expect_with_probability(!!(condition), 0, 1.0)
    #endif
    """
    bint likely "hm_likely"(bint condition)
    bint unlikely "hm_unlikely"(bint condition)

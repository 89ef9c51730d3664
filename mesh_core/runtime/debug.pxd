"""Assertions for code without the GIL, where Cython's own cannot be used.

`require(condition)` ends the process with a message in debug, asan and fuzz builds, and is nothing in a release
build: what it is given must have no effect of its own.
"""

cdef extern from * nogil:
    """
    #ifndef HOPMESH_REQUIRE
    #define HOPMESH_REQUIRE
    #ifdef HOPMESH_DEBUG
    #include <stdio.h>
    #include <stdlib.h>
    #define hm_require(condition) \\
        ((condition) ? (void)0 \\
         : (fprintf(stderr, "hopmesh: %s:%d: not so: %s\\n", __FILE__, __LINE__, #condition), abort()))
    #else
    #define hm_require(condition) ((void)sizeof(condition))
    #endif
    #endif
    """
    void require "hm_require"(bint condition)

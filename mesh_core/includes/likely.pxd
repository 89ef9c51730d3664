"""Hints on branches: what seldom runs is put apart from what every request runs."""

cdef extern from * nogil:
    bint likely(bint condition)
    bint unlikely(bint condition)

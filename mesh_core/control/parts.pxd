"""Percentages of the configuration as the whole numbers that workers draw lots by. Control thread."""

from libc.stdint cimport uint32_t


# Parts of a million.
cdef inline uint32_t ppm(double percent) noexcept:
    return <uint32_t>(percent * 10000 + 0.5)

"""Shares of the 64-bit numbers in proportion to weights: which entry a number belongs to, in constant time.

Each entry has one interval, in the order of the entries. Evenly spread numbers (random, or multiples of GOLDEN_STEP)
so find each entry as often as its weight says. A guide leads to where an interval can begin (Chen and Asau, 1974): the
expected number of steps from there is below two whatever the weights are, and never more than the logarithm of their
number. Any thread, no GIL; memory is the caller's.
"""

from libc.stdint cimport uint32_t, uint64_t


cdef struct WeightedTableC:
    uint64_t* ends             # of each entry: the first number beyond its interval; borrowed
    uint32_t* guide            # of each stretch of 2^shift numbers: the first entry in it; borrowed
    uint32_t count             # 0: not built, or no weight above 0
    uint32_t shift


# Bytes that a table of up to `count` entries needs.
cdef size_t weighted_table_bytes(uint32_t count) noexcept nogil

# Give the table its memory, of weighted_table_bytes(capacity), aligned for 64-bit words.
cdef void weighted_table_init(WeightedTableC* table, uint32_t capacity, void* memory) noexcept nogil

# Build it from `count` weights, at most its capacity, none below 0. With a sum of 0 it stays empty.
cdef void weighted_table_build(WeightedTableC* table, const double* weights, uint32_t count) noexcept nogil


# The entry that `number` belongs to; `table.count` must not be 0.
cdef inline uint32_t weighted_table_find(const WeightedTableC* table, uint64_t number) noexcept nogil:
    cdef uint32_t stretch = <uint32_t>(number >> table.shift)
    cdef uint32_t low = table.guide[stretch]
    cdef uint32_t high = table.guide[stretch + 1]
    cdef uint32_t middle
    while low < high:
        middle = low + (high - low) // 2
        if table.ends[middle] > number:
            high = middle
        else:
            low = middle + 1
    return low

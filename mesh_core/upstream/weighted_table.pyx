"""Shares in proportion to weights; the contract stands in weighted_table.pxd."""

from libc.stdint cimport UINT64_MAX
from mesh_core.upstream.hashing cimport stretch_shift


cdef size_t weighted_table_bytes(uint32_t count) noexcept nogil:
    return count * sizeof(uint64_t) + (((<size_t>1) << (64 - stretch_shift(count))) + 1) * sizeof(uint32_t)


cdef void weighted_table_init(WeightedTableC* table, uint32_t capacity, void* memory) noexcept nogil:
    table.ends = <uint64_t*>memory
    table.guide = <uint32_t*>(table.ends + capacity)
    table.count = 0


cdef void weighted_table_build(WeightedTableC* table, const double* weights, uint32_t count) noexcept nogil:
    cdef double total = 0
    cdef double sum = 0
    cdef double end
    cdef uint32_t index
    cdef uint32_t last = 0
    table.count = 0
    for index in range(count):
        total += weights[index]
        if weights[index] > 0:
            last = index
    if total <= 0:
        return
    for index in range(count):
        sum += weights[index]
        end = sum / total * 18446744073709551616.0
        # From the last entry that has a weight on, whatever rounding made of the sum.
        table.ends[index] = UINT64_MAX if index >= last or end >= 18446744073709549568.0 else <uint64_t>end
    table.count = count
    table.shift = stretch_shift(count)
    fill_guide(table, last)


cdef void fill_guide(WeightedTableC* table, uint32_t last) noexcept nogil:
    cdef uint64_t stretch
    cdef uint64_t stretches = <uint64_t>1 << (64 - table.shift)
    cdef uint32_t entry = 0
    for stretch in range(stretches):
        while entry < last and table.ends[entry] <= stretch << table.shift:
            entry += 1
        table.guide[stretch] = entry
    # The largest number of all is no exception: a search never goes beyond the last entry with a weight.
    table.guide[stretches] = last

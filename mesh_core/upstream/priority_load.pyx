"""How load is shared between priority levels; the contract stands in priority_load.pxd."""

from libc.stdint cimport uint64_t


cdef void priority_load(
    LevelLoadC* levels, uint32_t count, uint32_t overprovisioning_percent, uint32_t panic_threshold_percent
) noexcept nogil:
    cdef uint32_t index
    cdef uint32_t total = 0
    cdef bint total_panic = True
    for index in range(count):
        levels[index].health = health_percent(&levels[index], overprovisioning_percent)
        total = min(<uint32_t>100, total + levels[index].health)
    for index in range(count):
        levels[index].panic = (
            total < 100 and <uint64_t>levels[index].healthy_count * 100
            < <uint64_t>levels[index].member_count * panic_threshold_percent)
        total_panic = total_panic and levels[index].panic
    if total_panic:
        share_by_size(levels, count)
    else:
        share_by_health(levels, count, total)


cdef uint32_t health_percent(const LevelLoadC* level, uint32_t overprovisioning_percent) noexcept nogil:
    if level.member_count == 0:
        return 0
    return <uint32_t>min(<uint64_t>100, <uint64_t>overprovisioning_percent * level.healthy_count // level.member_count)


cdef void share_by_health(LevelLoadC* levels, uint32_t count, uint32_t total) noexcept nogil:
    """`total`: the sum of the healths, at most 100. What rounding leaves goes to the first level with any health."""
    cdef uint32_t left = 100
    cdef uint32_t index
    for index in range(count):
        levels[index].load_percent = min(left, levels[index].health * 100 // total) if total else 0
        left -= levels[index].load_percent
    for index in range(count):
        # Of very many endpoints a few that are healthy are 0 percent, and yet better than none.
        if levels[index].health or (total == 0 and levels[index].healthy_count):
            levels[index].load_percent += left
            return


cdef void share_by_size(LevelLoadC* levels, uint32_t count) noexcept nogil:
    cdef uint64_t members = 0
    cdef uint32_t left = 100
    cdef uint32_t index
    for index in range(count):
        members += levels[index].member_count
    for index in range(count):
        levels[index].load_percent = <uint32_t>(<uint64_t>100 * levels[index].member_count // members) if members else 0
        left -= levels[index].load_percent
    if members:
        # Levels have endpoints, each of them: see SubsetC.
        levels[0].load_percent += left

"""The two clocks: one for deadlines, one for what people read."""

from libc.stdint cimport int64_t
from mesh_core.includes.linux cimport (
    CLOCK_MONOTONIC, CLOCK_MONOTONIC_COARSE, CLOCK_REALTIME, CLOCK_REALTIME_COARSE, clock_gettime, timespec,
)


# Monotonic milliseconds, as of the kernel's last jiffy (at most 10 ms ago). No system call.
cdef inline int64_t coarse_clock_ms() noexcept nogil:
    cdef timespec now
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now)
    return <int64_t>now.tv_sec * 1000 + now.tv_nsec // 1000000


# Monotonic microseconds, for durations: the wall clock may be set.
cdef inline int64_t monotonic_us() noexcept nogil:
    cdef timespec now
    clock_gettime(CLOCK_MONOTONIC, &now)
    return <int64_t>now.tv_sec * 1000000 + now.tv_nsec // 1000


# Microseconds since the Unix epoch.
cdef inline int64_t wall_clock_us() noexcept nogil:
    cdef timespec now
    clock_gettime(CLOCK_REALTIME, &now)
    return <int64_t>now.tv_sec * 1000000 + now.tv_nsec // 1000


# What the wall clock is ahead of the monotonic one, in microseconds, as of the kernel's last jiffy.
cdef inline int64_t wall_offset_us() noexcept nogil:
    cdef timespec before, wall, after
    clock_gettime(CLOCK_MONOTONIC_COARSE, &before)
    while True:
        clock_gettime(CLOCK_REALTIME_COARSE, &wall)
        clock_gettime(CLOCK_MONOTONIC_COARSE, &after)
        if before.tv_nsec == after.tv_nsec:
            break
        # A jiffy began between the two.
        before = after
    return (<int64_t>wall.tv_sec - before.tv_sec) * 1000000 + (wall.tv_nsec - before.tv_nsec) // 1000

"""Buckets of histograms; the contract stands in histogram.pxd."""

# Envoy, envoy.config.metrics.v3.HistogramBucketSettings: the default buckets.
BUCKETS = (
    0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 300000, 600000, 1800000, 3600000,
)
# In microseconds, from 10 µs on; each of the default buckets is the end of one of these.
TIME_BUCKETS_US = tuple(sorted({
    *(mantissa * 10**power for power in range(0, 7) for mantissa in (10, 15, 20, 25, 30, 40, 50, 60, 80)),
    *(round(bucket * 1000) for bucket in BUCKETS),
}))


cdef int fill_bounds(BoundsC* bounds, ends) except -1:
    cdef object one = 1        # of Python's, for which 63 bits are no limit
    bounds.count = <uint32_t>len(ends)
    for index, end in enumerate(ends):
        bounds.ends[index] = <uint64_t>end
    for bit in range(64):
        bounds.first[bit] = <uint8_t>sum(end < (one << bit if bit else 0) for end in ends)
    return 0


# No number without a unit lies between 0 and 1: half of one is none.
fill_bounds(&BOUNDS, [int(end) for end in BUCKETS])
fill_bounds(&BOUNDS_US, [round(end * 1000) for end in BUCKETS])
fill_bounds(&TIME_BOUNDS_US, TIME_BUCKETS_US)

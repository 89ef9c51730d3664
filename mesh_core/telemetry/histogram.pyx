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

cdef int index
for index in range(BUCKET_COUNT):
    # No number without a unit lies between 0 and 1: half of one is none.
    BOUNDS[index] = <uint64_t>BUCKETS[index]
    BOUNDS_US[index] = <uint64_t>round(BUCKETS[index] * 1000)
for index in range(TIME_BUCKET_COUNT):
    TIME_BOUNDS_US[index] = <uint64_t>TIME_BUCKETS_US[index]

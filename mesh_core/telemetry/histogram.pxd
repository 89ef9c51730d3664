"""Buckets of histograms. Words are written by one worker and read by the control thread at any time."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

cdef extern from * nogil:
    int count_leading_zeros "__builtin_clzll"(unsigned long long value)

cdef enum:
    # Envoy's and so Istio's: 0.5, 1, 5, 10 … 3600000 (milliseconds, or bytes).
    BUCKET_COUNT = 19
    HISTOGRAM_WORDS = BUCKET_COUNT + 2   # how many in each bucket, more than the last, and the sum
    # Of the times to a cluster, nine for each power of ten: quantiles are told from them.
    TIME_BUCKET_COUNT = 67
    TIME_HISTOGRAM_WORDS = TIME_BUCKET_COUNT + 2
    BOUNDS_MOST = TIME_BUCKET_COUNT


# The values that are the buckets' upper ends.
cdef struct BoundsC:
    uint64_t[BOUNDS_MOST] ends
    uint32_t count
    uint8_t[64] first          # the bucket of the smallest value whose highest bit is this one; 0 goes with 1


# The same bounds for numbers without a unit and, in microseconds, for times.
cdef BoundsC BOUNDS
cdef BoundsC BOUNDS_US
cdef BoundsC TIME_BOUNDS_US


# Count `value` in a histogram with these bounds.
cdef inline void histogram_count(uint64_t* words, const BoundsC* bounds, uint64_t value) noexcept nogil:
    cdef uint32_t bucket = bounds.first[63 - count_leading_zeros(value | 1)]
    while bucket < bounds.count and value > bounds.ends[bucket]:
        bucket += 1
    words[bucket] += 1
    words[bounds.count + 1] += value

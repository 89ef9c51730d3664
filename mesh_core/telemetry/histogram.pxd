"""Buckets of histograms. Words are written by one worker and read by the control thread at any time."""

from libc.stdint cimport uint32_t, uint64_t

cdef enum:
    # Envoy's and so Istio's: 0.5, 1, 5, 10 … 3600000 (milliseconds, or bytes).
    BUCKET_COUNT = 19
    HISTOGRAM_WORDS = BUCKET_COUNT + 2   # how many in each bucket, more than the last, and the sum
    # Of the times to a cluster, nine for each power of ten: quantiles are told from them.
    TIME_BUCKET_COUNT = 67
    TIME_HISTOGRAM_WORDS = TIME_BUCKET_COUNT + 2


# The same bounds for numbers without a unit and, in microseconds, for times.
cdef uint64_t[BUCKET_COUNT] BOUNDS
cdef uint64_t[BUCKET_COUNT] BOUNDS_US
cdef uint64_t[TIME_BUCKET_COUNT] TIME_BOUNDS_US


# Count `value` in a histogram with these bounds, the values that are its upper ends.
cdef inline void histogram_count(
    uint64_t* words, const uint64_t* bounds, uint32_t bound_count, uint64_t value
) noexcept nogil:
    cdef uint32_t low = 0
    cdef uint32_t high = bound_count
    cdef uint32_t middle
    while low < high:
        middle = (low + high) // 2
        if value <= bounds[middle]:
            high = middle
        else:
            low = middle + 1
    words[low] += 1
    words[bound_count + 1] += value

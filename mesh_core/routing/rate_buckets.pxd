"""Token buckets that all workers take from: one word each, changed by compare-and-swap, never locked.

A word is the time at which its bucket will be full again (GCRA's theoretical arrival time: ITU-T I.371, annex A), which
says as much as tokens and a time of refilling would: a bucket that is full has a time that has passed, whatever it is.
So a place in the table whose time has passed holds nothing, and may be anybody's. Any thread, no GIL.
"""

from libc.stdint cimport uint32_t, uint64_t

cdef enum:
    BUCKET_WAYS = 8            # places that a key may have


cdef struct BucketC:
    uint64_t key               # 0: nobody's yet; written atomically, as all here
    uint64_t full_ns           # monotonic clock


# Owner: RateBuckets. The numbers are constant.
cdef struct RateBucketsC:
    uint64_t token_ns          # how long a token takes to come
    uint64_t burst_ns          # and all that the bucket holds
    uint64_t max_tokens
    uint64_t seed              # of the hash of keys
    BucketC shared             # without keys: the bucket
    BucketC overflow           # of those keys that have no place
    BucketC* places            # sets of BUCKET_WAYS; NULL without keys; owned
    uint32_t set_mask


# What a bucket said.
cdef struct RateVerdictC:
    bint allowed
    bint overflowed            # it was the one of those that have no place
    uint64_t remaining         # tokens
    uint64_t retry_ns          # until there is a token; 0 when it was allowed
    uint64_t full_ns           # until the bucket is full


# The bucket of a key at this time (monotonic clock), which was hashed with `seed`.
cdef BucketC* rate_bucket(RateBucketsC* buckets, uint64_t key, uint64_t now_ns) noexcept nogil

# Take a token of a bucket, if there is one.
cdef void rate_take(const RateBucketsC* buckets, BucketC* bucket, uint64_t now_ns, RateVerdictC* out) noexcept nogil


cdef class RateBuckets:
    cdef object __weakref__
    cdef RateBucketsC buckets

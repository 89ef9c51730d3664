"""Token buckets of all workers; the contract stands in rate_buckets.pxd."""

import secrets

from mesh_core.includes.atomic cimport compare_exchange_u64, load_relaxed_u64
from mesh_core.runtime.memory cimport memory_alloc, memory_free


cdef BucketC* rate_bucket(RateBucketsC* buckets, uint64_t key, uint64_t now_ns) noexcept nogil:
    cdef BucketC* places
    cdef BucketC* free = NULL
    cdef uint64_t found, old_key = 0
    cdef uint32_t index
    if buckets.places == NULL:
        return &buckets.shared
    key = key or 1
    places = &buckets.places[(<uint32_t>(key >> 32) & buckets.set_mask) * <uint32_t>BUCKET_WAYS]
    for index in range(BUCKET_WAYS):
        found = load_relaxed_u64(&places[index].key)
        if found == key:
            return &places[index]
        if free == NULL and (not found or load_relaxed_u64(&places[index].full_ns) <= now_ns):
            free = &places[index]
            old_key = found
    if free == NULL:
        return &buckets.overflow
    while load_relaxed_u64(&free.key) == old_key:
        # Who lost the place meanwhile may still take one token of its new owner: that is all that two workers that
        # meet here can do to each other.
        if compare_exchange_u64(&free.key, &old_key, key):
            return free
    return free if load_relaxed_u64(&free.key) == key else &buckets.overflow


cdef void rate_take(const RateBucketsC* buckets, BucketC* bucket, uint64_t now_ns, RateVerdictC* out) noexcept nogil:
    cdef uint64_t full_ns = load_relaxed_u64(&bucket.full_ns)
    cdef uint64_t later_ns
    out.overflowed = bucket == &buckets.overflow
    while True:
        later_ns = max(full_ns, now_ns) + buckets.token_ns
        out.allowed = later_ns - now_ns <= buckets.burst_ns
        if not out.allowed:
            out.remaining = 0
            out.retry_ns = later_ns - now_ns - buckets.burst_ns
            out.full_ns = full_ns - now_ns
            return
        if compare_exchange_u64(&bucket.full_ns, &full_ns, later_ns):
            break
    out.full_ns = later_ns - now_ns
    out.remaining = (buckets.burst_ns - out.full_ns) // buckets.token_ns
    out.retry_ns = 0


cdef class RateBuckets:
    """The buckets of one rule. Snapshots that have the rule keep it, so that it outlives each of them."""

    def __cinit__(
        self, uint64_t max_tokens, uint64_t tokens_per_fill, uint64_t fill_interval_ms, uint32_t descriptors
    ):
        """`descriptors`: how many keys shall have places; 0: there is one bucket, full at first."""
        cdef uint32_t sets = 1
        self.buckets.token_ns = fill_interval_ms * 1000000 // tokens_per_fill
        self.buckets.burst_ns = max_tokens * self.buckets.token_ns
        self.buckets.max_tokens = max_tokens
        self.buckets.seed = secrets.randbits(64)
        if not descriptors:
            return
        # Twice as many, so that sets seldom overflow before there are so many keys.
        while sets * BUCKET_WAYS < 2 * descriptors:
            sets *= 2
        self.buckets.set_mask = sets - 1
        self.buckets.places = <BucketC*>memory_alloc(sets * BUCKET_WAYS * sizeof(BucketC))
        if self.buckets.places == NULL:
            raise MemoryError()

    def __dealloc__(self):
        memory_free(self.buckets.places)

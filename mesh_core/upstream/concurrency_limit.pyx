"""The adaptive limit on a cluster's requests; the contract stands in concurrency_limit.pxd."""

from libc.stdint cimport uint32_t
from mesh_core.includes.atomic cimport (
    compare_exchange_u64, exchange_u64, load_relaxed_i64, load_relaxed_u64, store_relaxed_i64, store_release_u64,
)
from mesh_core.snapshot.shared_count cimport shared_count_enter, shared_count_leave
from mesh_core.telemetry.stats cimport (
    CONCURRENCY_SAMPLES, CONCURRENCY_STAT_COUNT, CONCURRENCY_WINDOW_SAMPLES, ROUND_TRIP_BUCKETS, StatsScope,
)

cdef extern from * nogil:
    """
    #define hm_bit_length(x) (64 - __builtin_clzll(x))
    """
    int bit_length "hm_bit_length"(uint64_t x)


cdef bint concurrency_enter(ConcurrencyC* state, int64_t now_ms) noexcept nogil:
    if shared_count_enter(&state.active, load_relaxed_u64(&state.limit)):
        return True
    if not load_relaxed_u64(&state.window_left) or now_ms < load_relaxed_i64(&state.window_ends_ms):
        return False
    close_window(state)
    return shared_count_enter(&state.active, load_relaxed_u64(&state.limit))


cdef void concurrency_leave(ConcurrencyC* state) noexcept nogil:
    shared_count_leave(&state.active)


cdef void concurrency_sample(
    ConcurrencyC* state, uint64_t* words, int64_t begun_us, int64_t round_trip_us
) noexcept nogil:
    cdef uint64_t left = load_relaxed_u64(&state.window_left)
    if begun_us < load_relaxed_i64(&state.window_begun_us):
        # It belongs to a time with another limit.
        return
    if not left:
        words[CONCURRENCY_SAMPLES + round_trip_bucket(round_trip_us)] += 1
        return
    while left:
        if compare_exchange_u64(&state.window_left, &left, left - 1):
            words[CONCURRENCY_WINDOW_SAMPLES + round_trip_bucket(round_trip_us)] += 1
            if left == 1:
                close_window(state)
            return


cdef void close_window(ConcurrencyC* state) noexcept nogil:
    cdef uint64_t limit = exchange_u64(&state.limit_after, 0)
    # Whoever closes it, the limit is restored once: the control thread may set another one from then on.
    if limit:
        exchange_u64(&state.limit, limit)
    exchange_u64(&state.window_left, 0)


cdef uint64_t round_trip_bucket(int64_t round_trip_us) noexcept nogil:
    cdef uint64_t value = <uint64_t>max(round_trip_us, <int64_t>0)
    cdef int shift
    if value < 16:
        return value
    shift = bit_length(value) - 5
    return min(<uint64_t>shift * 16 + (value >> shift), <uint64_t>ROUND_TRIP_BUCKETS - 1)


# --- from the control thread ---

# Where each bucket begins, in microseconds.
BUCKET_BEGINS_US = (*range(16), *(
    (16 + place) << shift for shift in range(<int>ROUND_TRIP_BUCKETS // 16 - 1) for place in range(16)))


cdef class ConcurrencyLimit:
    """One cluster's limit and samples. For the control thread."""

    cdef ClusterState cluster
    cdef StatsScope stats
    cdef uint64_t[CONCURRENCY_STAT_COUNT] taken

    def __cinit__(self, ClusterState cluster not None, StatsScope stats not None):
        """`stats`: the cluster's scope of kind "adaptive_concurrency". Samples from before now do not count."""
        self.cluster = cluster
        self.stats = stats
        self.take_samples()
        self.take_window_samples()

    @property
    def limit(self):
        """Requests at one time (int); 0 for no limit. While a window is open, its limit."""
        return load_relaxed_u64(&self.cluster.state.concurrency.limit)

    @limit.setter
    def limit(self, uint64_t limit):
        """Let so many in from now on; whoever is in stays."""
        exchange_u64(&self.cluster.state.concurrency.limit, limit)

    @property
    def active(self):
        """Requests that count now (int)."""
        return load_relaxed_u64(&self.cluster.state.concurrency.active)

    @property
    def window_open(self):
        """Whether samples of a window are still to be taken (bool)."""
        return load_relaxed_u64(&self.cluster.state.concurrency.window_left) > 0

    def open_window(self, uint64_t limit, uint64_t samples, int64_t now_us, int64_t ends_ms):
        """Let only `limit` requests in until `samples` round trips, at least one, of requests that begin after
        `now_us` are known, or `ends_ms` has passed; both of the monotonic clock. Afterwards the present limit is
        restored."""
        cdef ConcurrencyC* state = &self.cluster.state.concurrency
        store_relaxed_i64(&state.window_begun_us, now_us)
        store_relaxed_i64(&state.window_ends_ms, ends_ms)
        exchange_u64(&state.limit_after, load_relaxed_u64(&state.limit))
        exchange_u64(&state.limit, limit)
        store_release_u64(&state.window_left, samples)

    def close_window(self):
        """Take no more samples, and restore the limit; again is allowed."""
        close_window(&self.cluster.state.concurrency)

    def take_samples(self):
        """How many samples there were since the last call, but for those of windows: {bucket: count}, in order."""
        return self.take(CONCURRENCY_SAMPLES)

    def take_window_samples(self):
        """The same of windows."""
        return self.take(CONCURRENCY_WINDOW_SAMPLES)

    cdef dict take(self, uint32_t first):
        cdef dict counts = {}
        cdef uint64_t total
        cdef uint32_t bucket
        for bucket in range(ROUND_TRIP_BUCKETS):
            total = self.stats.total(first + bucket)
            if total != self.taken[first + bucket]:
                counts[bucket] = total - self.taken[first + bucket]
                self.taken[first + bucket] = total
        return counts

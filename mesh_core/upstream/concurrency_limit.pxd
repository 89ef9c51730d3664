"""The adaptive limit on a cluster's requests, as workers keep to it: places, and samples of round trips. No I/O.

What the limit is, the control thread reckons from the samples (mesh_core.control.upstream_health.gradient). To learn
the least round trip there is a *window* now and then, with a low limit, until so many samples are taken; the worker
that takes the last one closes it, so nobody waits for the control thread. Any worker, no GIL.
"""

from libc.stdint cimport int64_t, uint64_t
from mesh_core.upstream.endpoint_state cimport ClusterState, ConcurrencyC


# A place for one more request; False when there is none. Pair with concurrency_leave.
cdef bint concurrency_enter(ConcurrencyC* state, int64_t now_ms) noexcept nogil
cdef void concurrency_leave(ConcurrencyC* state) noexcept nogil

# A request that began at `begun_us` (monotonic clock) was answered after `round_trip_us`. `words`: CONCURRENCY words
# of the worker.
cdef void concurrency_sample(
    ConcurrencyC* state, uint64_t* words, int64_t begun_us, int64_t round_trip_us
) noexcept nogil

# The bucket of a histogram of round trips.
cdef uint64_t round_trip_bucket(int64_t round_trip_us) noexcept nogil

"""How long an endpoint leaves connections idle, as far as it shows: EndpointStateC.idle_timeout_ms. No I/O.

Any worker, no GIL. Two that learn at one moment may overwrite each other: the next one to see it ended learns again.
"""

from libc.stdint cimport int64_t
from mesh_core.includes.atomic cimport load_relaxed_i64, store_relaxed_i64
from mesh_core.upstream.endpoint_state cimport EndpointStateC

cdef enum:
    IDLE_MARGIN_LEAST_MS = 20  # two ticks of the timers, and what a request takes to get there
    IDLE_MARGIN_PART = 8       # of the time-out, if that is more
    IDLE_ALWAYS_MS = 0x7FFFFFFFFFFFFFFF


# It ended a connection that had been idle for `age_ms`: at most that long. A higher age than was learned moves that up
# by a quarter of the difference only.
cdef void idle_timeout_ended(EndpointStateC* endpoint, int64_t age_ms) noexcept nogil

# It left a connection idle for `age_ms`, and has not ended it yet: longer than that.
cdef void idle_timeout_survived(EndpointStateC* endpoint, int64_t age_ms) noexcept nogil

# It announced that it leaves connections idle for `timeout_ms` (Keep-Alive: timeout=…).
cdef void idle_timeout_announced(EndpointStateC* endpoint, int64_t timeout_ms) noexcept nogil

# The age from which on a connection is not to be used: what was learned, less a margin. IDLE_ALWAYS_MS: nothing was.
cdef inline int64_t idle_timeout_limit(const EndpointStateC* endpoint) noexcept nogil:
    cdef int64_t known_ms = load_relaxed_i64(&endpoint.idle_timeout_ms)
    if not known_ms:
        return IDLE_ALWAYS_MS
    return known_ms - max(known_ms // IDLE_MARGIN_PART, <int64_t>IDLE_MARGIN_LEAST_MS)

# The same for a request that must not be sent twice: half of what was learned, or `limit_ms`, if that is less.
cdef inline int64_t idle_timeout_unrepeatable_limit(const EndpointStateC* endpoint, int64_t limit_ms) noexcept nogil:
    cdef int64_t known_ms = load_relaxed_i64(&endpoint.idle_timeout_ms)
    return min(limit_ms, known_ms // 2, idle_timeout_limit(endpoint)) if known_ms else limit_ms

# What was learned, or 0.
cdef inline int64_t idle_timeout_known(const EndpointStateC* endpoint) noexcept nogil:
    return load_relaxed_i64(&endpoint.idle_timeout_ms)

# What was learned says nothing any more: it is being restarted, perhaps as something else.
cdef inline void idle_timeout_forget(EndpointStateC* endpoint) noexcept nogil:
    store_relaxed_i64(&endpoint.idle_timeout_ms, 0)

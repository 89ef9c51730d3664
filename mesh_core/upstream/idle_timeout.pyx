"""How long an endpoint leaves connections idle; the contract stands in idle_timeout.pxd."""

from mesh_core.includes.atomic cimport load_relaxed_i64, store_relaxed_i64

cdef enum:
    LEARNED_LEAST_MS = 1       # 0 would say that nothing was


cdef void idle_timeout_ended(EndpointStateC* endpoint, int64_t age_ms) noexcept nogil:
    cdef int64_t known_ms = load_relaxed_i64(&endpoint.idle_timeout_ms)
    if known_ms and age_ms > known_ms:
        age_ms = known_ms + (age_ms - known_ms) // 4
    store_relaxed_i64(&endpoint.idle_timeout_ms, max(age_ms, <int64_t>LEARNED_LEAST_MS))


cdef void idle_timeout_survived(EndpointStateC* endpoint, int64_t age_ms) noexcept nogil:
    cdef int64_t known_ms = load_relaxed_i64(&endpoint.idle_timeout_ms)
    if known_ms and age_ms > known_ms:
        store_relaxed_i64(&endpoint.idle_timeout_ms, age_ms)


cdef void idle_timeout_announced(EndpointStateC* endpoint, int64_t timeout_ms) noexcept nogil:
    cdef int64_t known_ms = load_relaxed_i64(&endpoint.idle_timeout_ms)
    if not known_ms or timeout_ms < known_ms:
        store_relaxed_i64(&endpoint.idle_timeout_ms, max(timeout_ms, <int64_t>LEARNED_LEAST_MS))


cdef int64_t idle_timeout_limit(const EndpointStateC* endpoint) noexcept nogil:
    cdef int64_t known_ms = load_relaxed_i64(&endpoint.idle_timeout_ms)
    if not known_ms:
        return IDLE_ALWAYS_MS
    return known_ms - max(known_ms // IDLE_MARGIN_PART, <int64_t>IDLE_MARGIN_LEAST_MS)


cdef int64_t idle_timeout_unrepeatable_limit(const EndpointStateC* endpoint, int64_t limit_ms) noexcept nogil:
    cdef int64_t known_ms = load_relaxed_i64(&endpoint.idle_timeout_ms)
    return min(limit_ms, known_ms // 2, idle_timeout_limit(endpoint)) if known_ms else limit_ms

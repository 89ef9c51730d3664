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

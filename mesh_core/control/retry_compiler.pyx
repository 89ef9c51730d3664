"""From policies of retries to their C struct; the contract stands in retry_compiler.pxd."""

from libc.stdint cimport uint32_t, uint64_t, uintptr_t
from mesh_core.control.route_match_compiler cimport RouteMatchCompiler
from mesh_core.http1.method cimport method_find
from mesh_core.upstream.retry cimport RETRY_ON_HEADERS, RETRY_ON_RESET, STATUS_WORDS

from mesh_core.config.schema import RouteRetry

# Source: Envoy, "x-envoy-retry-on". Statuses from 600 on are no HTTP.
STATUSES = {
    "5xx": range(500, 600),
    "gateway-error": (502, 503, 504),
    "retriable-4xx": (409,),
}
# Source: gRPC, "Status codes and their use in gRPC".
GRPC_STATUSES = {
    "cancelled": 1, "deadline-exceeded": 4, "resource-exhausted": 8, "internal": 13, "unavailable": 14,
}
# Envoy takes a reset for a status of 5xx, since it becomes one.
RESETS = ("5xx", "gateway-error", "reset")
GROWTH = 10
DEFAULTS = RouteRetry()


cdef compile_cluster_retry(RetryPolicyC* out, retry):
    out.max_attempts = retry.max_connect_attempts
    out.base_interval_ms = retry.base_interval_ms
    out.max_interval_ms = GROWTH * out.base_interval_ms
    out.budget_percent = retry.budget.percent
    out.min_concurrency = retry.budget.min_concurrency
    out.budget_wait_ms = DEFAULTS.budget.max_wait_ms
    out.max_body_bytes = DEFAULTS.max_body_bytes
    out.methods = methods_of(DEFAULTS)


cdef const RetryPolicyC* compile_route_retry(Snapshot snapshot, retry) except? NULL:
    cdef RetryPolicyC* out
    if retry is None:
        return NULL
    if retry in snapshot.shared:
        return <const RetryPolicyC*><uintptr_t>snapshot.shared[retry]
    out = <RetryPolicyC*>snapshot.allocate(sizeof(RetryPolicyC))
    out.max_attempts = retry.attempts + 1
    out.base_interval_ms = retry.base_interval_ms
    out.max_interval_ms = retry.max_interval_ms or GROWTH * retry.base_interval_ms
    out.budget_percent = retry.budget.percent
    out.min_concurrency = retry.budget.min_concurrency
    out.budget_wait_ms = retry.budget.max_wait_ms
    out.max_body_bytes = retry.max_body_bytes
    out.max_retry_after_ms = retry.max_retry_after_ms
    out.methods = methods_of(retry)
    compile_conditions(snapshot, out, retry)
    snapshot.shared[retry] = <uintptr_t>out
    return out


cdef uint64_t methods_of(retry) except? 0:
    cdef uint64_t methods = 0
    cdef bytes name
    if retry.non_idempotent:
        return <uint64_t>-1
    for method in retry.methods:
        name = method.encode()
        methods |= <uint64_t>1 << method_find(name, len(name))
    return methods


cdef compile_conditions(Snapshot snapshot, RetryPolicyC* out, retry):
    cdef uint32_t status
    for condition in retry.retry_on:
        for status in STATUSES.get(condition, ()):
            set_status(out, status)
        if condition in GRPC_STATUSES:
            out.grpc_statuses |= <uint32_t>1 << <int>GRPC_STATUSES[condition]
        if condition in RESETS:
            out.conditions |= RETRY_ON_RESET
    for status in retry.status_codes:
        set_status(out, status)
    if "retriable-headers" in retry.retry_on:
        out.conditions |= RETRY_ON_HEADERS
        out.headers = RouteMatchCompiler(snapshot).headers(retry.headers)
        out.header_count = <uint32_t>len(retry.headers)


cdef void set_status(RetryPolicyC* out, uint32_t status) noexcept:
    if status >> 6 < STATUS_WORDS:
        out.statuses[status >> 6] |= <uint64_t>1 << (status & 63)

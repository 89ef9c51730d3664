"""Whether and when something is tried again: conditions, back-off and budget. No I/O.

The same policy serves connections that are relayed, which know only that a connect failed, and requests, of which
mesh_core.http.retry decides. Any worker, no GIL.
"""

from libc.stdint cimport int64_t, uint32_t, uint64_t
from mesh_core.routing.header_match cimport HeaderMatchC
from mesh_core.upstream.endpoint_state cimport ClusterStateC

cdef enum:
    ATTEMPTS_MOST = 11         # of one connection or request; the configuration's bound, too
    STATUS_WORDS = 10          # of 64 statuses each
    CREDIT_RESERVE = 10        # retries that fail all the same, before requests have earned any
    CREDIT_PERCENT = 20        # as if it were the budget's, or the reserve would be all for ever

# Which attempts of requests are made again, beside those of which nothing was processed.
cdef enum RetryCondition:
    RETRY_ON_RESET = 1 << 0    # no answer: its connection ended, or what came was none, or it came too late
    RETRY_ON_HEADERS = 1 << 1  # RetryPolicyC.headers


# What decides of retries. `max_attempts`, the base interval and the budget are for connections, too.
cdef struct RetryPolicyC:
    uint32_t max_attempts      # the first one included; 1: no retries
    uint32_t base_interval_ms
    uint32_t max_interval_ms
    uint32_t budget_percent    # of the cluster's connections, open and being opened, or of its requests
    uint32_t min_concurrency   # retries that are allowed whatever the percentage gives
    uint32_t budget_wait_ms    # how long a retry of a request waits for a place
    uint32_t conditions        # RetryCondition bits
    uint32_t max_body_bytes    # that are kept to be sent again
    uint32_t max_retry_after_ms  # 0: Retry-After is ignored
    uint64_t methods           # a bit for each HttpMethod that may be sent twice
    uint64_t statuses[STATUS_WORDS]  # a bit for each status that is tried again
    uint32_t grpc_statuses     # a bit for each of gRPC's that is
    const HeaderMatchC* headers  # of answers that are tried again
    uint32_t header_count


# Milliseconds to wait before retry number `retry` (from 1): full jitter over an interval that begins at the base and
# doubles up to the longest. Source: Envoy, JitteredExponentialBackOffStrategy (its code, not its documentation).
cdef uint32_t retry_interval_ms(const RetryPolicyC* policy, uint32_t retry, uint64_t random) noexcept nogil

# Milliseconds to wait when an answer's Retry-After says `after_ms`: uniform over that and half as much again. Source:
# Envoy, JitteredLowerBoundBackOffStrategy.
cdef int64_t retry_after_interval_ms(int64_t after_ms, uint64_t random) noexcept nogil

# Count one more in `retries`, a shared count of the cluster (see snapshot/shared_count.pxd, which leaves it); False
# when that would pass its budget, which is the larger of `min_concurrency` and `budget_percent` of `active`, its
# connections or requests. Source: Envoy, CircuitBreakers.Thresholds.RetryBudget.
cdef bint retry_enter(const RetryPolicyC* policy, uint64_t* retries, uint64_t active) noexcept nogil

# The sum of a count that is kept for each priority: they share the budget.
cdef uint64_t retry_active(const uint64_t* counts) noexcept nogil

# Whether the budget allows any retry at all.
cdef inline bint retry_allowed(const RetryPolicyC* policy) noexcept nogil:
    return policy.max_attempts > 1 and (policy.min_concurrency > 0 or policy.budget_percent > 0)

# Retries of requests that failed all the same are charged, and `requests`, all that the cluster ever had, earn credit
# for them: half of `budget_percent` (CREDIT_PERCENT where that is 0), of which no more is kept than half of that share
# of the `active` ones, or CREDIT_RESERVE. Retries that help cost nothing; where nothing helps they soon end, however
# many requests at one time the budget above allows. retry_charge: take one in advance, False when there is no credit;
# retry_refund: these helped.
cdef bint retry_charge(
    const RetryPolicyC* policy, ClusterStateC* cluster, uint64_t requests, uint64_t active) noexcept nogil
cdef void retry_refund(ClusterStateC* cluster, uint32_t retries) noexcept nogil

# Whether an answer with this status is tried again.
cdef inline bint retry_on_status(const RetryPolicyC* policy, uint32_t status) noexcept nogil:
    return status >> 6 < STATUS_WORDS and policy.statuses[status >> 6] >> (status & 63) & 1

"""Outlier detection as workers take part in it; the contract stands in outlier_detection.pxd."""

from mesh_core.includes.atomic cimport (
    compare_exchange_i64, exchange_u32, fetch_add_u32, load_relaxed_u64, store_relaxed_i64, store_relaxed_u32,
)
from mesh_core.snapshot.shared_count cimport shared_count_enter, shared_count_leave
from mesh_core.telemetry.stats cimport (
    OUTLIER_DETECTED_LOCAL_ORIGIN, OUTLIER_ENFORCED_LOCAL_ORIGIN, OUTLIER_OVERFLOW,
)
from mesh_core.upstream.endpoint_state cimport (
    ENDPOINT_REMOVED, ROW_5XX, ROW_ACCRUAL, ROW_GATEWAY_FAILURE, ROW_LOCAL_ORIGIN, UNHEALTHY_EJECTED, EndpointState,
    endpoint_mark,
)

cdef enum RowBit:
    LOCAL_ORIGIN = 1 << <int>ROW_LOCAL_ORIGIN
    GATEWAY = 1 << <int>ROW_GATEWAY_FAILURE
    ANY_5XX = 1 << <int>ROW_5XX
    ACCRUAL = 1 << <int>ROW_ACCRUAL
    ALL_ROWS = LOCAL_ORIGIN | GATEWAY | ANY_5XX | ACCRUAL

cdef tuple VERDICTS = ("none", "tolerated", "overflow", "ejected")


# --- rows of failures ---

cdef uint32_t rows_failed(const OutlierPolicyC* policy, OutlierResult result) noexcept nogil:
    """In which rows the result is one more failure."""
    if result == RESULT_CONNECT_FAILED or (result == RESULT_LOCAL_FAILURE and policy.split):
        return LOCAL_ORIGIN | ACCRUAL
    if result == RESULT_GATEWAY_ERROR or result == RESULT_LOCAL_FAILURE:
        return GATEWAY | ANY_5XX | ACCRUAL
    if result == RESULT_ERROR:
        return ANY_5XX | ACCRUAL
    return 0


cdef uint32_t rows_ended(OutlierResult result) noexcept nogil:
    """Which rows the result ends: whoever answers at all is there, and so on."""
    if result == RESULT_ANSWERED:
        return ALL_ROWS
    if result == RESULT_CONNECTED:
        return LOCAL_ORIGIN | ACCRUAL
    if result == RESULT_ERROR:
        return LOCAL_ORIGIN | GATEWAY
    return LOCAL_ORIGIN if result == RESULT_GATEWAY_ERROR else 0


cdef bint outlier_note(const OutlierSiteC* site, OutlierResult result) noexcept nogil:
    cdef EndpointStateC* endpoint = site.endpoint
    cdef uint32_t failed = rows_failed(site.policy, result)
    cdef uint32_t ended = rows_ended(result)
    cdef bint news = False
    cdef int row
    if not site.policy.enabled:
        return False
    if result == RESULT_CONNECTED:
        fetch_add_u32(&endpoint.successes, 1)
    elif result == RESULT_CONNECT_FAILED:
        fetch_add_u32(&endpoint.failures, 1)
    if load_relaxed_u32(&endpoint.probing):
        news = settle_probe(site, failed == 0)
    for row in range(ROW_COUNT):
        if failed >> row & 1:
            news = fail_row(site, row) or news
        elif ended >> row & 1 and load_relaxed_u32(&endpoint.consecutive[row]):
            store_relaxed_u32(&endpoint.consecutive[row], 0)
    return news


cdef bint fail_row(const OutlierSiteC* site, int row) noexcept nogil:
    """One more failure in this row; True when it ejected the endpoint."""
    cdef const RowRuleC* rule = &site.policy.rows[row]
    cdef Verdict verdict
    if not rule.failures:
        return False
    # Of workers that fail at the same time, one sees this very number.
    if fetch_add_u32(&site.endpoint.consecutive[row], 1) + 1 != rule.failures:
        return False
    store_relaxed_u32(&site.endpoint.consecutive[row], 0)
    verdict = outlier_judge(site, rule.enforcing_percent)
    if verdict == VERDICT_NONE:
        return False
    site.stats[OUTLIER_DETECTED_LOCAL_ORIGIN + row] += 1
    if verdict == VERDICT_OVERFLOW:
        site.stats[OUTLIER_OVERFLOW] += 1
    if verdict != VERDICT_EJECTED:
        return False
    store_relaxed_u32(&site.endpoint.ejection_row, row)
    site.stats[OUTLIER_ENFORCED_LOCAL_ORIGIN + row] += 1
    return True


# --- ejections ---

cdef Verdict outlier_judge(const OutlierSiteC* site, uint32_t enforcing_percent) noexcept nogil:
    cdef const OutlierPolicyC* policy = site.policy
    cdef ClusterStateC* cluster = site.cluster
    cdef EndpointStateC* endpoint = site.endpoint
    if load_relaxed_u32(&endpoint.unhealthy) & (UNHEALTHY_EJECTED | ENDPOINT_REMOVED):
        return VERDICT_NONE
    if load_relaxed_u64(&cluster.ejected) >= policy.max_ejected:
        return VERDICT_OVERFLOW
    if site.random % 100 >= enforcing_percent:
        return VERDICT_TOLERATED
    if not shared_count_enter(&cluster.ejected, policy.max_ejected):
        return VERDICT_OVERFLOW
    # Before the mark: who sees the mark must not find the times of an older ejection.
    store_relaxed_i64(&endpoint.ejected_at_ms, site.now_ms)
    store_relaxed_u32(
        &endpoint.ejection_jitter_ms, <uint32_t>((site.random >> 32) % (<uint64_t>policy.max_jitter_ms + 1)))
    if policy.accrual.min_penalty_ms:
        begin_penalty(site)
    if not endpoint_mark(cluster, endpoint, UNHEALTHY_EJECTED, True):
        shared_count_leave(&cluster.ejected)
        return VERDICT_NONE
    if <uint64_t>load_relaxed_u32(&endpoint.ejection_multiplier) * policy.base_ejection_time_ms < (
            policy.max_ejection_time_ms):
        fetch_add_u32(&endpoint.ejection_multiplier, 1)
    fetch_add_u32(&endpoint.ejections, 1)
    fetch_add_u32(&cluster.ejections, 1)
    return VERDICT_EJECTED


cdef bint outlier_uneject(ClusterStateC* cluster, EndpointStateC* endpoint) noexcept nogil:
    cdef int row
    # Before the mark goes: nothing of this ejection may count towards the next.
    store_relaxed_i64(&endpoint.probe_at_ms, 0)
    store_relaxed_u32(&endpoint.penalties, 0)
    store_relaxed_u32(&endpoint.probing, 0)
    for row in range(ROW_COUNT):
        store_relaxed_u32(&endpoint.consecutive[row], 0)
    if not endpoint_mark(cluster, endpoint, UNHEALTHY_EJECTED, False):
        return False
    shared_count_leave(&cluster.ejected)
    return True


# --- accrual ---

cdef uint32_t accrual_penalty_ms(const AccrualC* accrual, uint32_t penalties, uint64_t random) noexcept nogil:
    cdef uint64_t penalty_ms = min(
        <uint64_t>accrual.min_penalty_ms << min(penalties, <uint32_t>31), <uint64_t>accrual.max_penalty_ms)
    return <uint32_t>(penalty_ms + random % (penalty_ms * accrual.jitter_percent // 100 + 1))


cdef void begin_penalty(const OutlierSiteC* site) noexcept nogil:
    cdef EndpointStateC* endpoint = site.endpoint
    cdef uint32_t penalties = load_relaxed_u32(&endpoint.penalties)
    cdef int64_t at_ms = site.now_ms + accrual_penalty_ms(&site.policy.accrual, penalties, site.random >> 8)
    store_relaxed_i64(&endpoint.probe_at_ms, at_ms)
    outlier_expect_probe(site.cluster, at_ms)


cdef bint settle_probe(const OutlierSiteC* site, bint passed) noexcept nogil:
    """The endpoint was tried; True when it has returned. Of several results at one time, one counts."""
    if not exchange_u32(&site.endpoint.probing, 0):
        return False
    if passed:
        return outlier_uneject(site.cluster, site.endpoint)
    if load_relaxed_u32(&site.endpoint.unhealthy) & UNHEALTHY_EJECTED:
        fetch_add_u32(&site.endpoint.penalties, 1)
        begin_penalty(site)
    return False


cdef void outlier_expect_probe(ClusterStateC* cluster, int64_t at_ms) noexcept nogil:
    cdef int64_t seen_ms = load_relaxed_i64(&cluster.probe_at_ms)
    while seen_ms == 0 or seen_ms > at_ms:
        if compare_exchange_i64(&cluster.probe_at_ms, &seen_ms, at_ms):
            return


cdef bint outlier_probe(const OutlierPolicyC* policy, EndpointStateC* endpoint, int64_t now_ms) noexcept nogil:
    cdef int64_t at_ms = load_relaxed_i64(&endpoint.probe_at_ms)
    cdef uint32_t lease_ms
    # One that fails its health checks, too, is not tried.
    if at_ms == 0 or at_ms > now_ms or load_relaxed_u32(&endpoint.unhealthy) != UNHEALTHY_EJECTED:
        return False
    lease_ms = accrual_penalty_ms(&policy.accrual, load_relaxed_u32(&endpoint.penalties), 0)
    if not compare_exchange_i64(&endpoint.probe_at_ms, &at_ms, now_ms + lease_ms):
        return False
    store_relaxed_u32(&endpoint.probing, 1)
    return True


# --- from the control thread ---

cdef compile_rows(OutlierPolicyC* policy, rules):
    policy.rows[<int>ROW_LOCAL_ORIGIN] = RowRuleC(
        rules.consecutive_local_origin_failure, rules.enforcing_consecutive_local_origin_failure)
    policy.rows[<int>ROW_GATEWAY_FAILURE] = RowRuleC(
        rules.consecutive_gateway_failure, rules.enforcing_consecutive_gateway_failure)
    policy.rows[<int>ROW_5XX] = RowRuleC(rules.consecutive_5xx, rules.enforcing_consecutive_5xx)


cdef class OutlierPolicy:
    """The rules of one cluster's outlier detection, seen from the control thread."""

    def __cinit__(self, rules not None, uint32_t endpoint_count):
        """`rules`: an OutlierDetection of the configuration. `endpoint_count`: how many endpoints the cluster has."""
        self.policy.enabled = True
        self.policy.split = rules.split_external_local_origin_errors
        if rules.accrual is None:
            compile_rows(&self.policy, rules)
        else:
            self.policy.rows[<int>ROW_ACCRUAL] = RowRuleC(rules.accrual.consecutive_failures, 100)
            self.policy.accrual.min_penalty_ms = rules.accrual.min_penalty_ms
            self.policy.accrual.max_penalty_ms = max(rules.accrual.min_penalty_ms, rules.accrual.max_penalty_ms)
            self.policy.accrual.jitter_percent = rules.accrual.jitter_percent
        self.policy.max_ejected = endpoint_count * <uint64_t>rules.max_ejection_percent // 100
        if rules.always_eject_one_host and not self.policy.max_ejected:
            self.policy.max_ejected = 1
        self.policy.base_ejection_time_ms = rules.base_ejection_time_ms
        self.policy.max_ejection_time_ms = rules.max_ejection_time_ms
        self.policy.max_jitter_ms = rules.max_ejection_time_jitter_ms

    def judge(self, EndpointState endpoint not None, uint32_t enforcing_percent, int64_t now_ms, uint64_t random):
        """Treat it as an outlier: "ejected", "tolerated" by the enforcing percentage, "overflow" or "none".

        "overflow": enough endpoints are ejected. "none": it is ejected already. `now_ms`: monotonic clock.
        """
        cdef OutlierSiteC site = OutlierSiteC(
            &self.policy, &endpoint.cluster.state, &endpoint.state, NULL, now_ms, random)
        return VERDICTS[outlier_judge(&site, enforcing_percent)]

    def expect_probe(self, EndpointState endpoint not None, int64_t now_ms):
        """With accrual: if nobody would try this ejected endpoint, as after a change of the rules, let somebody."""
        if self.policy.accrual.min_penalty_ms and load_relaxed_i64(&endpoint.state.probe_at_ms) == 0:
            store_relaxed_i64(&endpoint.state.probe_at_ms, now_ms)
            outlier_expect_probe(&endpoint.cluster.state, now_ms)


def uneject(EndpointState endpoint not None):
    """Let an ejected endpoint return; False when it was not ejected."""
    return outlier_uneject(&endpoint.cluster.state, &endpoint.state)

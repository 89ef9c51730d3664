"""What retries go by, from Python; input lies in heap blocks of exactly its size."""

from libc.stdint cimport int64_t, uint64_t, uint8_t
from mesh_core._testing.convert cimport exact_copy
from mesh_core.http1.head cimport HEAD_RESPONSE, FieldC, HeadC, head_begin, head_parse
from mesh_core.http1.http_date cimport http_date_parse, retry_after_parse
from mesh_core.http1.keep_alive cimport keep_alive_timeout
from mesh_core.http1.limits cimport Http1LimitsC, http1_limits_default
from mesh_core.runtime.memory cimport memory_free
cimport mesh_core.upstream.idle_timeout as idle_timeout
cimport mesh_core.upstream.retry as retry
from mesh_core.upstream.endpoint_state cimport ClusterState, EndpointState


def http_date(bytes text):
    """http_date_parse."""
    cdef uint8_t* copy = exact_copy(text)
    try:
        return http_date_parse(copy, len(text))
    finally:
        memory_free(copy)


def retry_after(bytes value, int64_t now_s):
    """retry_after_parse."""
    cdef uint8_t* copy = exact_copy(value)
    try:
        return retry_after_parse(copy, len(value), now_s)
    finally:
        memory_free(copy)


def retry_after_interval_ms(int64_t after_ms, uint64_t random):
    return retry.retry_after_interval_ms(after_ms, random)


def keep_alive(bytes head):
    """keep_alive_timeout of a response's head."""
    cdef FieldC[16] fields
    cdef HeadC parsed
    cdef Http1LimitsC limits
    cdef uint8_t* copy = exact_copy(head)
    http1_limits_default(&limits)
    limits.field_count = 16
    head_begin(&parsed, HEAD_RESPONSE, fields)
    try:
        assert head_parse(&parsed, copy, len(head), &limits) == 1
        return keep_alive_timeout(&parsed, copy)
    finally:
        memory_free(copy)


def charge(ClusterState cluster not None, percent, uint64_t requests, uint64_t active):
    cdef retry.RetryPolicyC policy
    policy.budget_percent = percent
    return bool(retry.retry_charge(&policy, &cluster.state, requests, active))


def refund(ClusterState cluster not None, retries):
    retry.retry_refund(&cluster.state, retries)


def learn(EndpointState endpoint not None, str how, int64_t ms):
    """`how`: ended, survived or announced."""
    if how == "ended":
        idle_timeout.idle_timeout_ended(&endpoint.state, ms)
    elif how == "survived":
        idle_timeout.idle_timeout_survived(&endpoint.state, ms)
    else:
        idle_timeout.idle_timeout_announced(&endpoint.state, ms)


def limits(EndpointState endpoint not None, int64_t unrepeatable_ms):
    """The ages from which on a connection is not used: by any request (None: there is none), and by one that must not
    be sent twice."""
    limit = idle_timeout.idle_timeout_limit(&endpoint.state)
    return (
        None if limit == idle_timeout.IDLE_ALWAYS_MS else limit,
        idle_timeout.idle_timeout_unrepeatable_limit(&endpoint.state, unrepeatable_ms),
    )

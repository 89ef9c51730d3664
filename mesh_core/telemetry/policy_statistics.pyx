"""Statistics of traffic policies, tracing and overload protection: rows of the table in stats.pyx.

Control thread, with the GIL.
"""

from mesh_core.telemetry.stats cimport (
    LISTENER_CORS_ALLOWED, LISTENER_CORS_PREFLIGHT, LISTENER_CORS_REFUSED, LISTENER_CX_OVERLOAD,
    LISTENER_CX_OVERLOAD_LAST, LISTENER_FAULT_ABORTS, LISTENER_FAULT_DELAYS, LISTENER_FAULT_OVERFLOW,
    LISTENER_RQ_OVERLOAD, LISTENER_TRACE_MALFORMED, LISTENER_TRACE_STARTED, MIRROR_BODY_OVERFLOW, MIRROR_COMPLETED,
    MIRROR_CUT, MIRROR_FAILED, MIRROR_OVERFLOW, MIRROR_STAT_COUNT, MIRROR_TOTAL, OVERLOAD_ACTIVE,
    OVERLOAD_DESCRIPTORS_PERCENT, OVERLOAD_ENTERED, OVERLOAD_MEMORY_PERCENT, OVERLOAD_STAT_COUNT,
    RATE_LIMIT_ENFORCED, RATE_LIMIT_LIMITED, RATE_LIMIT_NO_PLACE, RATE_LIMIT_OK, RATE_LIMIT_STAT_COUNT,
)

COUNTER = "counter"
GAUGE = "gauge"

LISTENER_STATISTICS = (
    ("cors.origin_valid", COUNTER, "Requests from an origin that CORS allows", (LISTENER_CORS_ALLOWED,), ()),
    ("cors.origin_invalid", COUNTER, "Requests from another origin", (LISTENER_CORS_REFUSED,), ()),
    ("cors.preflight", COUNTER, "CORS preflights answered", (LISTENER_CORS_PREFLIGHT,), ()),
    ("fault.delays_injected", COUNTER, "Requests delayed by fault injection", (LISTENER_FAULT_DELAYS,), ()),
    ("fault.aborts_injected", COUNTER, "Requests failed by fault injection", (LISTENER_FAULT_ABORTS,), ()),
    ("tracing.started", COUNTER, "Traces that began here", (LISTENER_TRACE_STARTED,), ()),
    ("tracing.malformed", COUNTER, "Malformed headers of trace contexts", (LISTENER_TRACE_MALFORMED,), ()),
    ("downstream_rq_overload_close", COUNTER, "Requests refused because the proxy was overloaded",
     (LISTENER_RQ_OVERLOAD,), ()),
    ("downstream_cx_overload_reject", COUNTER, "Connections refused because the proxy was overloaded",
     (LISTENER_CX_OVERLOAD,), ()),
    ("downstream_cx_overload_disable_keepalive", COUNTER,
     "Connections ended after a request because the proxy was overloaded", (LISTENER_CX_OVERLOAD_LAST,), ()),
    ("fault.faults_overflow", COUNTER, "Requests not delayed because enough were", (LISTENER_FAULT_OVERFLOW,), ()),
)
"""Those of a listener."""

SCOPES = {
    "rate_limit": (("rate_limit",), (
        ("ok", COUNTER, "Requests that got a token", (RATE_LIMIT_OK,), ()),
        ("rate_limited", COUNTER, "Requests without a token", (RATE_LIMIT_LIMITED,), ()),
        ("enforced", COUNTER, "Requests refused", (RATE_LIMIT_ENFORCED,), ()),
        ("descriptor_overflow", COUNTER, "Requests for whose key there was no bucket but the shared one",
         (RATE_LIMIT_NO_PLACE,), ()),
    )),
    "overload": ((), (
        ("memory_pressure", GAUGE, "Resident memory in percent of max_memory_bytes", (OVERLOAD_MEMORY_PERCENT,), ()),
        ("descriptor_pressure", GAUGE, "Open descriptors in percent of those that traffic may have",
         (OVERLOAD_DESCRIPTORS_PERCENT,), ()),
        ("active_actions", GAUGE, "Actions in force now", (OVERLOAD_ACTIVE,), ()),
        ("entered", COUNTER, "Times an action began", (OVERLOAD_ENTERED,), ()),
    )),
    "mirror": (("cluster",), (
        ("total", COUNTER, "Copies of requests begun", (MIRROR_TOTAL,), ()),
        ("active", GAUGE, "Copies under way now", (MIRROR_TOTAL,), (MIRROR_COMPLETED,)),
        ("overflow", COUNTER, "Copies left out over max_concurrent or a limit of the cluster", (MIRROR_OVERFLOW,), ()),
        ("body_overflow", COUNTER, "Copies given up because the body was too long", (MIRROR_BODY_OVERFLOW,), ()),
        ("failed", COUNTER, "Copies without a whole answer in time", (MIRROR_FAILED,), ()),
        ("cut", COUNTER, "Copies given up because the request was never whole", (MIRROR_CUT,), ()),
    )),
}
"""Kinds of scopes of their own, as in STATISTICS."""

SCOPE_WORDS = {
    "rate_limit": RATE_LIMIT_STAT_COUNT,
    "mirror": MIRROR_STAT_COUNT,
    "overload": OVERLOAD_STAT_COUNT,
}
"""How many words each of those has."""

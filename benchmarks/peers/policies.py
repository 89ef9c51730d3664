"""Everything that a request may need to survive, set so that nothing of it comes into play in a benchmark."""

from typing import Any

LISTENER_HTTP: dict[str, Any] = {
    "request_timeout_ms": 60_000,
    "max_stream_duration_ms": 600_000,
    "min_body_rate": {"request_bytes_per_s": 240, "response_bytes_per_s": 240},
    "local_replies": [{"statuses": [502, 503, 504], "body": "try again"}],
    "explain": True,
    "tracing": {},
}
ROUTE: dict[str, Any] = {
    "retry": {"attempts": 3, "retry_on": ["5xx", "reset", "connect-failure", "retriable-4xx"]},
    "timeouts": {"request_ms": 15_000, "per_try_ms": 2_000, "stream_idle_ms": 10_000, "max_stream_duration_ms": 9_000},
    "body_limits": {"request_bytes": 1 << 20, "response_bytes": 1 << 30},
    "cors": {"allow_origins": ["https://shop.example"]},
    "fault": {
        "delay": {"fixed_ms": 100}, "abort": {"status": 503}, "headers": [{"name": "x-fault", "exact": "yes"}]},
    "rate_limits": [{"name": "all", "max_tokens": 1_000_000, "tokens_per_fill": 1_000_000}],
    "mirrors": [{"cluster": "app", "percentage": 0.0}],
}
CLUSTER: dict[str, Any] = {
    "outlier_detection": {"interval_ms": 5_000, "accrual": {}, "enforcing_consecutive_gateway_failure": 100},
    "circuit_breakers": {
        "max_connections": 1000, "max_requests": 1000, "max_pending_requests": 1000, "max_retries": 100},
    "health_checks": [{"type": "http", "http": {"path": "/"}}],
    # Against a round trip that is far longer than any here, or it would find the load too much, rightly.
    "adaptive_concurrency": {"min_round_trip": {"fixed_ms": 1000}},
    "retry": {"max_connect_attempts": 4},
}
PROCESS: dict[str, Any] = {"overload": {"max_memory_bytes": 1 << 30}}

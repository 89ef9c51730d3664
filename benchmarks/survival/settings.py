"""What the proxy is told in the scenarios."""

import random
from collections.abc import Sequence

from benchmarks.survival.sidecar import Settings, cluster

INTERVAL_S = 1.0
"""Between two sweeps of outlier detection, and between two health checks."""
PER_TRY_TIMEOUT_S = 0.25


def surviving(addresses: Sequence[str]) -> Settings:
    """Return the settings of all scenarios."""
    interval_ms = int(INTERVAL_S * 1000)
    app = cluster(
        addresses,
        load_balancer="least_request",
        connect_timeout_ms=1000,
        outlier_detection={"interval_ms": interval_ms, "base_ejection_time_ms": 5 * interval_ms},
        health_checks=[{
            "type": "http", "http": {"path": "/health"}, "interval_ms": interval_ms,
            "unhealthy_interval_ms": interval_ms // 2, "timeout_ms": interval_ms // 4, "interval_jitter_percent": 0,
        }],
    )
    route = {
        "name": "all",
        "cluster": "app",
        "timeouts": {"per_try_ms": int(PER_TRY_TIMEOUT_S * 1000), "request_ms": 15_000},
        "retry": {"attempts": 3},
    }
    return {"workers": 2, "listener": {"routes": [route]}, "clusters": [app], "drain_timeout_ms": 5000}


def unchecked(addresses: Sequence[str]) -> Settings:
    """Return them without health checks."""
    settings = surviving(addresses)
    del settings["clusters"][0]["health_checks"]
    return settings


def chaotic(addresses: Sequence[str], chance: random.Random | None = None) -> Settings:
    """Return the settings of a soak; with ``chance``, changed at random in what a reload may change."""
    settings = surviving(addresses)
    app = settings["clusters"][0]
    app["http"] = {"idle_timeout_ms": 1000}
    # So that a machine which is busy with other things does not make most requests fail.
    (route,) = settings["listener"]["routes"]
    route["timeouts"]["per_try_ms"] = 2000
    if chance is not None:
        app["endpoints"] = chance.sample(list(addresses), chance.randint(len(addresses) - 2, len(addresses)))
        app["load_balancer"] = chance.choice(["round_robin", "least_request", "random", "peak_ewma", "maglev"])
        app["on_endpoint_removal"] = chance.choice(["close", "drain"])
        settings["listener"]["http"] = {"max_requests_per_connection": chance.randint(50, 500)}
    return settings

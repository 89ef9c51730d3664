"""hopmesh's proxy: a data path of compiled workers, and the control thread that configures and watches them.

Folders follow the data: config → control → snapshot → worker → relay, upstream → net, telemetry → runtime.

The names in `__all__` are the public API, which docs/embedding.md describes. Each is loaded when it is first used, so
that a program which only wants one of them, such as `hopmesh version`, does not wait for the others.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from mesh_core._version import __version__

__all__ = [
    "AccessLog",
    "Accrual",
    "AdaptiveConcurrency",
    "Admin",
    "AffinityCookie",
    "BodyLimits",
    "CircuitBreakers",
    "Cluster",
    "ClusterHttp",
    "ClusterTls",
    "Config",
    "ConfigError",
    "ControlPlane",
    "Dial",
    "DirectResponse",
    "Endpoint",
    "Fault",
    "FilterChain",
    "FilterChainMatch",
    "HashCookie",
    "HashPolicy",
    "HeaderMatch",
    "HeaderModifier",
    "HealthCheck",
    "HttpHealthCheck",
    "HttpSettings",
    "LeastRequest",
    "Listener",
    "ListenerTls",
    "LocalReply",
    "Locality",
    "LocalityWeight",
    "Maglev",
    "Metrics",
    "MinBodyRate",
    "MinRoundTrip",
    "Mounting",
    "Node",
    "OutlierDetection",
    "PathMatch",
    "PathModifier",
    "Payload",
    "PeakEwma",
    "PeerNames",
    "Proxy",
    "QueryParameterMatch",
    "Redirect",
    "RequestRetryBudget",
    "Restart",
    "Retry",
    "RetryBudget",
    "Rewrite",
    "RingHash",
    "Route",
    "RouteMatch",
    "RouteRetry",
    "RouteTimeouts",
    "ServerCertificate",
    "SessionAffinity",
    "SlowStart",
    "SubsetSelector",
    "Subsets",
    "Thresholds",
    "VirtualHost",
    "WeightedCluster",
    "Workload",
    "__version__",
    "load_builtins",
    "load_file",
    "load_text",
]

if TYPE_CHECKING:
    from mesh_core.config import ConfigError, Fault, load_builtins, load_file, load_text
    from mesh_core.config.schema import (
        AccessLog,
        Accrual,
        AdaptiveConcurrency,
        Admin,
        AffinityCookie,
        BodyLimits,
        CircuitBreakers,
        Cluster,
        ClusterHttp,
        ClusterTls,
        Config,
        ControlPlane,
        Dial,
        DirectResponse,
        Endpoint,
        FilterChain,
        FilterChainMatch,
        HashCookie,
        HashPolicy,
        HeaderMatch,
        HeaderModifier,
        HealthCheck,
        HttpHealthCheck,
        HttpSettings,
        LeastRequest,
        Listener,
        ListenerTls,
        Locality,
        LocalityWeight,
        LocalReply,
        Maglev,
        Metrics,
        MinBodyRate,
        MinRoundTrip,
        Node,
        OutlierDetection,
        PathMatch,
        PathModifier,
        Payload,
        PeakEwma,
        PeerNames,
        QueryParameterMatch,
        Redirect,
        RequestRetryBudget,
        Restart,
        Retry,
        RetryBudget,
        Rewrite,
        RingHash,
        Route,
        RouteMatch,
        RouteRetry,
        RouteTimeouts,
        ServerCertificate,
        SessionAffinity,
        SlowStart,
        Subsets,
        SubsetSelector,
        Thresholds,
        VirtualHost,
        WeightedCluster,
        Workload,
    )
    from mesh_core.control.worker_pool import Mounting
    from mesh_core.embedding import Proxy
else:
    _HOMES = {
        "mesh_core.embedding": ("Proxy",),
        "mesh_core.control.worker_pool": ("Mounting",),
        "mesh_core.config": ("ConfigError", "Fault", "load_builtins", "load_file", "load_text"),
    }

    def __getattr__(name: str) -> object:
        """A public name, loaded now (PEP 562)."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        home = next((home for home, names in _HOMES.items() if name in names), "mesh_core.config.schema")
        value = getattr(import_module(home), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})

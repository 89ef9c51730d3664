"""The tables of docs/configuration.md, made from the schema. Run as a program, it prints them for pasting."""

from __future__ import annotations

import json
from typing import Any

from msgspec import NODEFAULT, Struct, inspect

from mesh_core.config import (
    AccessLog,
    Accrual,
    AdaptiveConcurrency,
    Admin,
    CircuitBreakers,
    Cluster,
    ClusterTls,
    Config,
    Endpoint,
    FilterChain,
    FilterChainMatch,
    HealthCheck,
    HttpHealthCheck,
    Listener,
    ListenerTls,
    MinRoundTrip,
    OutlierDetection,
    Payload,
    PeerNames,
    Restart,
    Retry,
    RetryBudget,
    ServerCertificate,
)
from mesh_core.config.schema import (
    AffinityCookie,
    BodyLimits,
    ClusterHttp,
    ControlPlane,
    Cors,
    Dial,
    DirectResponse,
    FaultAbort,
    FaultDelay,
    FaultInjection,
    HashCookie,
    HashPolicy,
    HeaderMatch,
    HeaderModifier,
    HttpSettings,
    LeastRequest,
    Locality,
    LocalityWeight,
    LocalReply,
    Maglev,
    Metrics,
    MinBodyRate,
    Mirror,
    Node,
    Overload,
    PathMatch,
    PathModifier,
    PeakEwma,
    QueryParameterMatch,
    RateLimit,
    RateLimitDescriptor,
    Redirect,
    RequestRetryBudget,
    Rewrite,
    RingHash,
    Route,
    RouteMatch,
    RouteRetry,
    RouteTimeouts,
    SessionAffinity,
    SlowStart,
    Subsets,
    SubsetSelector,
    Thresholds,
    Tracing,
    VirtualHost,
    WeightedCluster,
    Workload,
)
from mesh_core.config.schema.common import LARGEST

SECTIONS: dict[str, type[Struct]] = {
    "The file": Config,
    "Listeners": Listener,
    "Filter chains": FilterChain,
    "Matches of filter chains": FilterChainMatch,
    "HTTP": HttpSettings,
    "Minimum body rates": MinBodyRate,
    "Local replies": LocalReply,
    "Virtual hosts": VirtualHost,
    "Routes": Route,
    "Matches of routes": RouteMatch,
    "Path matches": PathMatch,
    "Header matches": HeaderMatch,
    "Query parameter matches": QueryParameterMatch,
    "Route time-outs": RouteTimeouts,
    "Body limits": BodyLimits,
    "Weighted clusters": WeightedCluster,
    "Redirects": Redirect,
    "Direct responses": DirectResponse,
    "Rewrites": Rewrite,
    "Path modifiers": PathModifier,
    "Header modifiers": HeaderModifier,
    "Hash policies": HashPolicy,
    "Hash cookies": HashCookie,
    "Session affinity": SessionAffinity,
    "Affinity cookies": AffinityCookie,
    "CORS": Cors,
    "Fault injection": FaultInjection,
    "Fault delays": FaultDelay,
    "Fault aborts": FaultAbort,
    "Rate limits": RateLimit,
    "Rate limit descriptors": RateLimitDescriptor,
    "Mirrors": Mirror,
    "Tracing": Tracing,
    "Overload": Overload,
    "Clusters": Cluster,
    "Listener TLS": ListenerTls,
    "Server certificates": ServerCertificate,
    "Cluster TLS": ClusterTls,
    "Peer names": PeerNames,
    "Endpoints": Endpoint,
    "Localities": Locality,
    "Locality weights": LocalityWeight,
    "Least request": LeastRequest,
    "Ring hash": RingHash,
    "Maglev": Maglev,
    "Peak EWMA": PeakEwma,
    "Slow start": SlowStart,
    "Subsets": Subsets,
    "Subset selectors": SubsetSelector,
    "Request retries": RouteRetry,
    "Request retry budget": RequestRetryBudget,
    "Retry": Retry,
    "Retry budget": RetryBudget,
    "Cluster HTTP": ClusterHttp,
    "Circuit breakers": CircuitBreakers,
    "Thresholds": Thresholds,
    "Adaptive concurrency": AdaptiveConcurrency,
    "Least round trip": MinRoundTrip,
    "Outlier detection": OutlierDetection,
    "Accrual": Accrual,
    "Health checks": HealthCheck,
    "HTTP health checks": HttpHealthCheck,
    "Payload": Payload,
    "Admin": Admin,
    "Restart": Restart,
    "Control plane": ControlPlane,
    "Workloads": Workload,
    "Dials": Dial,
    "Access log": AccessLog,
    "Node": Node,
    "Metrics": Metrics,
}
"""Of each section with a table: the type that it describes."""


def table(of: type[Struct]) -> str:
    """The Markdown table of the fields of `of`."""
    rows = ["| Field | Type | Default | Meaning |", "|---|---|---|---|"]
    described = inspect.type_info(of)
    assert isinstance(described, inspect.StructType)
    for field in described.fields:
        inner, description = _unwrapped(field.type)
        default = "required" if field.required else _default(field)
        rows.append(f"| `{field.encode_name}` | {_type_text(inner)} | {default} | {description} |")
    return "\n".join(rows)


def _default(field: inspect.Field) -> str:
    value: Any = field.default if field.default is not NODEFAULT else field.default_factory()
    if value in (None, Locality()):
        return "none"
    return "`{}`" if isinstance(value, Struct) else f"`{json.dumps(value)}`"


def _unwrapped(declared: inspect.Type) -> tuple[inspect.Type, str]:
    description = ""
    while True:
        if isinstance(declared, inspect.Metadata):
            description = description or (declared.extra_json_schema or {}).get("description", "")
            declared = declared.type
        elif isinstance(declared, inspect.UnionType):
            members = [member for member in declared.types if not isinstance(member, inspect.NoneType)]
            if len(members) > 1:
                return declared, description
            declared = members[0]
        else:
            return declared, description


def _type_text(kind: inspect.Type) -> str:  # noqa: PLR0911
    match kind:
        case inspect.StructType(cls=cls):
            (section,) = (title for title, of in SECTIONS.items() if of is cls)
            return f"[mapping](#{section.lower().replace(' ', '-')})"
        case inspect.VarTupleType(item_type=item):
            inner, _ = _unwrapped(item)
            return (
                f"list of {_type_text(inner).replace('[mapping]', '[mappings]').replace('string', 'strings')}"
            )
        case inspect.UnionType(types=types):
            return " or ".join(_type_text(_unwrapped(member)[0]) for member in types)
        case inspect.DictType():
            return "mapping of strings"
        case inspect.LiteralType(values=values):
            return " or ".join(f"`{value}`" for value in values)
        case inspect.IntType(ge=ge, le=le):
            return f"integer ≥ {ge}" if le == LARGEST else f"integer, {ge} to {le}"
        case inspect.FloatType(ge=ge, le=le):
            return f"number, {ge} to {le}"
        case inspect.BoolType():
            return "boolean"
        case _:
            return "string"


if __name__ == "__main__":
    for title, of in SECTIONS.items():
        print(f"## {title}\n\n{table(of)}\n")

"""What one proxy runs: the types of the proxy configuration, the same for a file and for the control channel.

Every field carries its description, so that `hopmesh schema` prints it and docs/configuration.md can be
checked against it. In `Meta(extra=...)` stands what messages need beyond the types: `form` (what a pattern means, in
words).

The types promise shape and bounds only. What relates one field to another is in `check`, and what the text of
an address means is in `address`.
"""

from mesh_core.config.schema.adaptive_concurrency import AdaptiveConcurrency, MinRoundTrip
from mesh_core.config.schema.body_limits import BodyLimits
from mesh_core.config.schema.circuit_breakers import CircuitBreakers, Thresholds
from mesh_core.config.schema.cluster import Cluster
from mesh_core.config.schema.cluster_http import ClusterHttp
from mesh_core.config.schema.cluster_tls import ClusterTls
from mesh_core.config.schema.config import Config
from mesh_core.config.schema.control_plane import ControlPlane, Dial, Workload
from mesh_core.config.schema.cors import Cors
from mesh_core.config.schema.direct_response import DirectResponse
from mesh_core.config.schema.endpoint import Endpoint, Locality
from mesh_core.config.schema.fault import FaultAbort, FaultDelay, FaultInjection
from mesh_core.config.schema.filter_chain import FilterChain, FilterChainMatch
from mesh_core.config.schema.hash_policy import HashCookie, HashPolicy
from mesh_core.config.schema.header_modifier import HeaderModifier
from mesh_core.config.schema.health_check import HealthCheck, Payload
from mesh_core.config.schema.health_check_http import HttpHealthCheck
from mesh_core.config.schema.http import HttpSettings
from mesh_core.config.schema.listener import Listener
from mesh_core.config.schema.listener_tls import ListenerTls, ServerCertificate
from mesh_core.config.schema.load_balancing import (
    LeastRequest,
    LocalityWeight,
    Maglev,
    PeakEwma,
    RingHash,
    SlowStart,
    Subsets,
    SubsetSelector,
)
from mesh_core.config.schema.local_reply import LocalReply
from mesh_core.config.schema.min_body_rate import MinBodyRate
from mesh_core.config.schema.mirror import Mirror
from mesh_core.config.schema.node import Metrics, Node
from mesh_core.config.schema.operations import AccessLog, Admin, Restart
from mesh_core.config.schema.outlier_detection import Accrual, OutlierDetection
from mesh_core.config.schema.overload import Overload
from mesh_core.config.schema.rate_limit import RateLimit, RateLimitDescriptor
from mesh_core.config.schema.redirect import Redirect
from mesh_core.config.schema.retry import Retry, RetryBudget
from mesh_core.config.schema.rewrite import PathModifier, Rewrite
from mesh_core.config.schema.route import Route
from mesh_core.config.schema.route_match import (
    HeaderMatch,
    PathMatch,
    QueryParameterMatch,
    RouteMatch,
)
from mesh_core.config.schema.route_retry import RequestRetryBudget, RouteRetry
from mesh_core.config.schema.route_timeouts import RouteTimeouts
from mesh_core.config.schema.session_affinity import AffinityCookie, SessionAffinity
from mesh_core.config.schema.tls import PeerNames
from mesh_core.config.schema.tracing import Tracing
from mesh_core.config.schema.virtual_host import VirtualHost
from mesh_core.config.schema.weighted_cluster import WeightedCluster

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
    "ControlPlane",
    "Cors",
    "Dial",
    "DirectResponse",
    "Endpoint",
    "FaultAbort",
    "FaultDelay",
    "FaultInjection",
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
    "Mirror",
    "Node",
    "OutlierDetection",
    "Overload",
    "PathMatch",
    "PathModifier",
    "Payload",
    "PeakEwma",
    "PeerNames",
    "QueryParameterMatch",
    "RateLimit",
    "RateLimitDescriptor",
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
    "Tracing",
    "VirtualHost",
    "WeightedCluster",
    "Workload",
]

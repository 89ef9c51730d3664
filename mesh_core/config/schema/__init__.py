"""What one proxy runs: the types of the proxy configuration, the same for a file and for the control channel.

Every field carries its description, so that `hopmesh schema` prints it and docs/configuration.md can be
checked against it. In `Meta(extra=...)` stands what messages need beyond the types: `form` (what a pattern
means, in words) and `later` (values that are planned but not there yet).

The types promise shape and bounds only. What relates one field to another is in `check`, and what the text of
an address means is in `address`.
"""

from mesh_core.config.schema.circuit_breakers import CircuitBreakers
from mesh_core.config.schema.cluster import Cluster
from mesh_core.config.schema.config import Config
from mesh_core.config.schema.endpoint import Endpoint, Locality
from mesh_core.config.schema.filter_chain import FilterChain, FilterChainMatch
from mesh_core.config.schema.health_check import HealthCheck, Payload
from mesh_core.config.schema.listener import Listener
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
from mesh_core.config.schema.operations import AccessLog, Admin, Restart
from mesh_core.config.schema.outlier_detection import OutlierDetection
from mesh_core.config.schema.retry import Retry, RetryBudget
from mesh_core.config.schema.tls import ClusterTls, ListenerTls, PeerNames, ServerCertificate

__all__ = [
    "AccessLog",
    "Admin",
    "CircuitBreakers",
    "Cluster",
    "ClusterTls",
    "Config",
    "Endpoint",
    "FilterChain",
    "FilterChainMatch",
    "HealthCheck",
    "LeastRequest",
    "Listener",
    "ListenerTls",
    "Locality",
    "LocalityWeight",
    "Maglev",
    "OutlierDetection",
    "Payload",
    "PeakEwma",
    "PeerNames",
    "Restart",
    "Retry",
    "RetryBudget",
    "RingHash",
    "ServerCertificate",
    "SlowStart",
    "SubsetSelector",
    "Subsets",
]

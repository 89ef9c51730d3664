"""The proxy configuration: its types, and the way from a file or a message to them.

A configuration is good as a whole or refused as a whole: the loaders return a `Config` or raise one
`ConfigError` that lists every fault. Runs on the control thread, with the GIL; the compiled snapshot that
workers see is made elsewhere.

    text.py      bytes to text            document.py, message.py    text, or messages and objects, to nodes
    decode.py    nodes to schema/         check.py                   what must hold between fields
    expect.py    what faults say          faults.py, wording.py      how faults are kept and written
"""

from mesh_core.config.address import Address, AddressError, parse_address
from mesh_core.config.faults import ConfigError, Fault
from mesh_core.config.host_name import HostName, parse_endpoint, parse_resolver
from mesh_core.config.json_schema import json_schema
from mesh_core.config.load import check_config, load_builtins, load_file, load_text
from mesh_core.config.schema import (
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
    Metrics,
    MinRoundTrip,
    Node,
    OutlierDetection,
    Payload,
    PeerNames,
    Restart,
    Retry,
    RetryBudget,
    ServerCertificate,
)

__all__ = [
    "AccessLog",
    "Accrual",
    "AdaptiveConcurrency",
    "Address",
    "AddressError",
    "Admin",
    "CircuitBreakers",
    "Cluster",
    "ClusterTls",
    "Config",
    "ConfigError",
    "Endpoint",
    "Fault",
    "FilterChain",
    "FilterChainMatch",
    "HealthCheck",
    "HostName",
    "HttpHealthCheck",
    "Listener",
    "ListenerTls",
    "Metrics",
    "MinRoundTrip",
    "Node",
    "OutlierDetection",
    "Payload",
    "PeerNames",
    "Restart",
    "Retry",
    "RetryBudget",
    "ServerCertificate",
    "check_config",
    "json_schema",
    "load_builtins",
    "load_file",
    "load_text",
    "parse_address",
    "parse_endpoint",
    "parse_resolver",
]

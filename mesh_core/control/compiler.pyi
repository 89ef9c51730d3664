from collections.abc import Collection, Mapping

from mesh_core.config import Config
from mesh_core.control.endpoints import Endpoints
from mesh_core.control.listener_sockets import ListenerSocket
from mesh_core.snapshot.overload_state import OverloadState
from mesh_core.snapshot.snapshot import Snapshot
from mesh_core.telemetry.stats import StatsRegistry
from mesh_core.tls.context import TlsContext
from mesh_core.upstream.endpoint_state import ClusterState, EndpointState

class Compiler:
    overload: OverloadState
    def __init__(self, workers: int, registry: StatsRegistry) -> None: ...
    @property
    def active_connections(self) -> int: ...
    def cluster_state(self, cluster: str) -> ClusterState | None: ...
    def endpoint_state(self, cluster: str, endpoint: str) -> EndpointState | None: ...
    def compile(
        self,
        config: Config,
        sockets: Mapping[str, ListenerSocket],
        endpoints: Endpoints,
        listener_tls: Mapping[str, TlsContext] | None = None,
        cluster_tls: Mapping[str, TlsContext] | None = None,
        *,
        shared_sockets: Collection[int] = (),
    ) -> Snapshot: ...

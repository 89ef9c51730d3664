"""v1/Service of Kubernetes: a name, ports, and which workloads stand behind them."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct, field

from mesh_core.config.faults import PathStep
from mesh_core.config.schema.common import HOST_LABEL
from mesh_cp.resources.common import Checks, Labels, PortName, PortNumber
from mesh_cp.resources.gaps import Gaps, warning

_NODE = warning("nodes and load balancers are of Kubernetes: of no effect here")
_ALIAS = rf"^{HOST_LABEL}(\.{HOST_LABEL})*\.?$"


class ServicePort(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """A port of the service, and where its workloads have it: by number or by name; the same number by default."""

    gaps: ClassVar[Gaps] = {"nodePort": _NODE}

    port: PortNumber
    name: PortName | None = None
    target_port: PortNumber | PortName | None = None
    protocol: Literal["TCP", "UDP", "SCTP"] = "TCP"
    app_protocol: Annotated[str, Meta(max_length=128)] | None = None


class ServiceSpec(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """Without a selector only workloads belong to it that say so themselves."""

    gaps: ClassVar[Gaps] = {
        "allocateLoadBalancerNodePorts": _NODE,
        "externalIPs": _NODE,
        "externalTrafficPolicy": _NODE,
        "healthCheckNodePort": _NODE,
        "loadBalancerClass": _NODE,
        "loadBalancerIP": _NODE,
        "loadBalancerSourceRanges": _NODE,
        "internalTrafficPolicy": warning("write localityLbSetting in a DestinationRule: of no effect here"),
        "trafficDistribution": warning("write localityLbSetting in a DestinationRule: of no effect here"),
        "sessionAffinity": warning("write consistentHash in a DestinationRule: of no effect here"),
        "sessionAffinityConfig": warning("write consistentHash in a DestinationRule: of no effect here"),
    }

    ports: tuple[ServicePort, ...] = ()
    selector: Labels = {}
    type: Literal["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"] = "ClusterIP"
    external_name: Annotated[str, Meta(max_length=254, pattern=_ALIAS, extra={"form": "a host name"})] | None = None
    cluster_ip: str | None = field(default=None, name="clusterIP")
    cluster_ips: tuple[str, ...] = field(default=(), name="clusterIPs")
    ip_families: tuple[str, ...] = ()
    ip_family_policy: str | None = None
    publish_not_ready_addresses: bool = False


def check(spec: ServiceSpec, checks: Checks) -> None:
    """Report what cannot be, and what has no effect."""
    if spec.type == "ExternalName" and spec.external_name is None:
        checks.error(["spec", "externalName"], "missing", "type: ExternalName stands for another name: write it")
    names: dict[str, int] = {}
    numbers: dict[int, int] = {}
    for index, port in enumerate(spec.ports):
        path: list[PathStep] = ["spec", "ports", index]
        if port.protocol != "TCP":
            checks.warning([*path, "protocol"], f"{port.protocol} does not go through the mesh: of no effect here")
            continue
        if port.name is None and len(spec.ports) > 1:
            checks.error([*path, "name"], "missing", "where there are several ports each has a name")
        if port.name is not None and names.setdefault(port.name, index) != index:
            checks.error([*path, "name"], f"is the name of ports[{names[port.name]}] too", "write another")
        if numbers.setdefault(port.port, index) != index:
            checks.error([*path, "port"], f"is the port of ports[{numbers[port.port]}] too", "remove one")

"""ServiceEntry of Istio: hosts beyond those of Services, outside the mesh or in it."""

from __future__ import annotations

import ipaddress
from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct

from mesh_core.config.wording import quoted
from mesh_cp.resources.common import Checks, Host, PortName, PortNumber, Selector
from mesh_cp.resources.gaps import Gaps, warning
from mesh_cp.resources.workload_entry import WorkloadEntrySpec, check_address, is_ip

ExportTo = Annotated[str, Meta(max_length=63, pattern=r"^(\.|\*|~|[a-z0-9]([a-z0-9-]*[a-z0-9])?)$")]


class EntryPort(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """A port of the hosts; `target_port` is where endpoints have it that do not name it themselves."""

    number: PortNumber
    name: PortName
    protocol: Annotated[str, Meta(max_length=32)] | None = None
    target_port: PortNumber | None = None


class ServiceEntrySpec(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """Hosts, their ports, and how their endpoints are found."""

    gaps: ClassVar[Gaps] = {
        "subjectAltNames": warning("names of certificates are not compared for ServiceEntry: of no effect here"),
    }

    hosts: tuple[Host, ...]
    addresses: tuple[str, ...] = ()
    ports: tuple[EntryPort, ...] = ()
    location: Literal["MESH_EXTERNAL", "MESH_INTERNAL"] = "MESH_EXTERNAL"
    resolution: Literal["NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN", "DYNAMIC_DNS"] = "NONE"
    endpoints: tuple[WorkloadEntrySpec, ...] = ()
    workload_selector: Selector | None = None
    export_to: tuple[ExportTo, ...] = ()


def check(spec: ServiceEntrySpec, checks: Checks) -> None:
    """Report what cannot be, by Istio's rules, and what has no effect."""
    if not spec.hosts:
        checks.error(["spec", "hosts"], "no host", "for example [db.example]")
    for index, host in enumerate(spec.hosts):
        if is_ip(host):
            checks.error(["spec", "hosts", index], f"{quoted(host)} is an address", "write addresses, and a name here")
        if host == "*":
            checks.error(["spec", "hosts", index], "* alone is every host", "write what they have in common: *.example")
    _check_ports(spec, checks)
    for index, address in enumerate(spec.addresses):
        try:
            ipaddress.ip_network(address, strict=False)
        except ValueError:
            checks.error(["spec", "addresses", index], f"not an IP address: {quoted(address)}", "for example 10.0.0.7")
    if spec.addresses:
        checks.warning(["spec", "addresses"], "connections are told apart by host, not by the address dialled")
    _check_resolution(spec, checks)


def _check_ports(spec: ServiceEntrySpec, checks: Checks) -> None:
    if not spec.ports:
        checks.error(["spec", "ports"], "no port", "for example [{number: 443, name: tls, protocol: TLS}]")
    names: dict[str, int] = {}
    numbers: dict[int, int] = {}
    for index, port in enumerate(spec.ports):
        if names.setdefault(port.name, index) != index:
            checks.error(["spec", "ports", index, "name"], f"is the name of ports[{names[port.name]}] too")
        if numbers.setdefault(port.number, index) != index:
            checks.error(["spec", "ports", index, "number"], f"is the number of ports[{numbers[port.number]}] too")


def _check_resolution(spec: ServiceEntrySpec, checks: Checks) -> None:
    by_name = spec.resolution in ("DNS", "DNS_ROUND_ROBIN")
    if spec.endpoints and spec.workload_selector is not None:
        checks.error(["spec", "workloadSelector"], "there are endpoints already", "keep one of them")
    if spec.resolution in ("NONE", "DYNAMIC_DNS"):
        _check_unresolved(spec, checks)
    if spec.resolution == "DNS_ROUND_ROBIN" and len(spec.endpoints) > 1:
        checks.error(["spec", "endpoints", 1], "DNS_ROUND_ROBIN takes one endpoint", "write resolution: DNS")
    if by_name and not spec.endpoints and spec.workload_selector is None:
        for index, host in enumerate(spec.hosts):
            if host.startswith("*"):
                checks.error(["spec", "hosts", index], f"{quoted(host)} cannot be looked up", "add endpoints")
    for index, endpoint in enumerate(spec.endpoints):
        check_address(["spec", "endpoints", index], endpoint, checks, names_allowed=by_name)


def _check_unresolved(spec: ServiceEntrySpec, checks: Checks) -> None:
    """Proxies know where a connection was made to by name only."""
    path = ["spec", "resolution"]
    message = f"{spec.resolution} sends each connection to the address that was dialled, which is not supported"
    if any(host.startswith("*") for host in spec.hosts):
        checks.error(path, message, "name the hosts, and write resolution: DNS")
    else:
        checks.warning(path, f"{message}: the proxy looks the host up", "write resolution: DNS")

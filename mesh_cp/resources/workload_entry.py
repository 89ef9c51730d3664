"""WorkloadEntry of Istio: one workload outside Kubernetes, which here is any workload."""

from __future__ import annotations

import ipaddress
from typing import Annotated, ClassVar

from msgspec import Meta, Struct

from mesh_core.config.faults import PathStep
from mesh_core.config.host_name import is_host_name
from mesh_core.config.wording import quoted
from mesh_cp.resources.common import Checks, Labels, PortName, PortNumber, ResourceName
from mesh_cp.resources.gaps import Gaps, warning

MAX_WEIGHT = 1_000_000


class WorkloadEntrySpec(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """Where a workload is, and by which labels services and subsets know it. Also an endpoint of a ServiceEntry."""

    gaps: ClassVar[Gaps] = {
        "network": warning("every network is taken to be reachable: of no effect here"),
    }

    address: Annotated[str, Meta(max_length=255)] = ""
    ports: dict[PortName, PortNumber] = {}
    labels: Labels = {}
    locality: Annotated[str, Meta(max_length=386, extra={"form": "region, region/zone or region/zone/subzone"})] = ""
    weight: Annotated[int, Meta(ge=0, le=MAX_WEIGHT)] = 0
    service_account: ResourceName | None = None


def check(spec: WorkloadEntrySpec, checks: Checks) -> None:
    """Report what cannot be."""
    check_address(["spec"], spec, checks, names_allowed=True)


def check_address(path: list[PathStep], entry: WorkloadEntrySpec, checks: Checks, *, names_allowed: bool) -> None:
    """Report an address that leads nowhere; host names only where they are looked up."""
    address = entry.address
    if not address:
        checks.error([*path, "address"], "missing", "for example address: 10.0.0.7")
    elif address.startswith("unix://"):
        if not address.startswith(("unix:///", "unix://@")):
            checks.error([*path, "address"], f"{quoted(address)} is not a socket's path", "for example unix:///run/a")
        elif entry.ports:
            checks.error([*path, "ports"], "a Unix socket has no ports", "remove them, or write an IP address")
    elif not is_ip(address):
        if not is_host_name(address):
            checks.error([*path, "address"], f"not an IP address: {quoted(address)}", "for example 10.0.0.7")
        elif not names_allowed:
            message = f"{quoted(address)} is a name, and names are not looked up here"
            checks.error([*path, "address"], message, "write resolution: DNS, or an IP address")
    for part in entry.locality.split("/"):
        if len(part) > 128 or entry.locality.count("/") > 2:
            checks.error([*path, "locality"], "expected region, region/zone or region/zone/subzone")
            break


def is_ip(address: str) -> bool:
    """Whether `address` is of IPv4 or IPv6, without brackets."""
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return False
    return True

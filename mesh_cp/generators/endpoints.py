"""Endpoints: the addresses behind a port of a host, or of a subset of it, as one proxy sees them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mesh_core.config import AddressError, parse_endpoint
from mesh_core.config.address import Address
from mesh_core.config.schema import Endpoint, Locality, LocalityWeight
from mesh_cp.generators.policy import Effective
from mesh_cp.model import Service, ServicePort, Workload
from mesh_cp.model.workload import has_labels, joined, locality
from mesh_cp.resources.destination_rule import Distribute


def endpoints(
    service: Service, port: ServicePort, members: Mapping[str, Workload], labels: Mapping[str, str]
) -> tuple[Endpoint, ...]:
    """All that have `labels`, in an order that does not change; each address once, and none that leads nowhere."""
    if service.discovery == "workloads":
        able = {key: each for key, each in members.items() if each.healthy or service.members_unready}
        found = _members(port, able, labels)
    else:
        found = _static(service, port, labels)
    taken: dict[str, Endpoint] = {}
    for each in found:
        if _is_good(each.address, by_name=service.discovery != "static" and _looks_up(service)):
            taken.setdefault(each.address, each)
    return tuple(taken.values())


def _looks_up(service: Service) -> bool:
    return service.members_by_name or service.discovery in ("strict_dns", "logical_dns")


def _members(port: ServicePort, members: Mapping[str, Workload], labels: Mapping[str, str]) -> Iterator[Endpoint]:
    for _, workload in sorted(members.items()):
        if has_labels(workload.labels, labels):
            # An endpoint of Istio's may call the port as the service does.
            address = workload.address(*((port.name,) if port.name else ()), port.target)
            if address is not None:
                yield Endpoint(address=address, weight=workload.weight, locality=workload.locality)


def _static(service: Service, port: ServicePort, labels: Mapping[str, str]) -> Iterator[Endpoint]:
    for each in service.endpoints:
        if has_labels(each.labels, labels):
            number = each.ports.get(port.name, port.target)
            if isinstance(number, int):
                yield Endpoint(
                    address=joined(each.address, number), weight=each.weight, locality=locality(each.locality)
                )


def _is_good(text: str, *, by_name: bool) -> bool:
    """Whether a proxy could connect there: what workloads say of themselves is not to be trusted."""
    try:
        parsed = parse_endpoint(text)
    except AddressError:
        return False
    if not isinstance(parsed, Address):
        return by_name and parsed.port > 0
    return bool(parsed.path) or (parsed.port > 0 and not parsed.is_wildcard)


def seen_from(those: tuple[Endpoint, ...], place: Locality, policy: Effective) -> tuple[str | Endpoint, ...]:
    """`those` with the priorities that a proxy at `place` gives them, and as briefly as can be.

    Where they can fail over, as in Istio: the same sub-zone first, then the zone, the region, and the rest.
    """
    distances = [_distance(each.locality, place) if policy.by_locality else 0 for each in those]
    # Priorities have no gaps.
    ranks = {distance: rank for rank, distance in enumerate(sorted(set(distances)))}
    return tuple(_brief(each, ranks[distance]) for each, distance in zip(those, distances, strict=True))


def _brief(endpoint: Endpoint, priority: int) -> str | Endpoint:
    if endpoint.weight == 1 and priority == 0 and endpoint.locality == Locality():
        return endpoint.address
    return Endpoint(
        address=endpoint.address, weight=endpoint.weight, locality=endpoint.locality, priority=priority
    )


def _distance(there: Locality, here: Locality) -> int:
    if there.region != here.region:
        return 3
    if there.zone != here.zone:
        return 2
    return 0 if there.sub_zone == here.sub_zone else 1


def shared_by_locality(
    those: tuple[Endpoint, ...], place: Locality, policy: Effective
) -> tuple[tuple[Endpoint, ...], tuple[LocalityWeight, ...]]:
    """The endpoints that a proxy at `place` sends to, and the shares of their localities, by `distribute`."""
    setting = policy.load_balancer.locality_lb_setting
    if setting is None or setting.enabled is False:
        return those, ()
    share = next((each for each in setting.distribute if _fits(place, each.from_)), None)
    if share is None:
        return those, ()
    weights = {each.locality: _weight(each.locality, share) for each in those}
    kept = tuple(each for each in those if weights[each.locality])
    return kept, tuple(LocalityWeight(locality=each, weight=weight) for each, weight in weights.items() if weight)


def _weight(there: Locality, share: Distribute) -> int:
    """The share of a locality, by the longest pattern that fits it."""
    fitting = [pattern for pattern in share.to if _fits(there, pattern)]
    return share.to[max(fitting, key=len)] if fitting else 0


def _fits(there: Locality, pattern: str) -> bool:
    """Whether Istio's region/zone/* stands for a locality."""
    if pattern == "*":
        return True
    parts = pattern.removesuffix("/*").split("/")
    return [there.region, there.zone, there.sub_zone][: len(parts)] == parts

"""Workloads: what endpoints are made of, registered by their proxies or written down."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from mesh_core.config.schema import Locality

_PLACE_CHARACTERS = 128


class WorkloadPort(Struct, frozen=True, kw_only=True):
    """A port that a workload serves.

    `number` is what Services call it by (targetPort), 0 for whatever they ask for; `name` is another way to. `address`
    is where others connect to reach it, an IP address and a port or a Unix socket (unix:/path): its proxy's inbound
    listener, where it has one.
    """

    number: int
    address: str
    name: str = ""


class Workload(Struct, frozen=True, kw_only=True):
    """One running instance of something.

    `id` tells it from all others. It belongs to the Services of its namespace whose selector its labels fit, and to
    those that it names in `services`; where there is no Service of such a name, its ports are all that is known of it.
    An unhealthy one is known and gets nothing. `host` is an IP address, or a Unix socket, at which it has every port
    that `ports` does not name; empty where it has no others.
    """

    id: str
    namespace: str
    name: str
    ports: tuple[WorkloadPort, ...]
    services: tuple[str, ...] = ()
    host: str = ""
    labels: dict[str, str] = {}
    locality: Locality = Locality()
    weight: int = 1
    service_account: str = "default"
    healthy: bool = True

    def address(self, *targets: int | str) -> str | None:
        """Where the port is that `targets` call by number or name, the first that it has; None when it has none."""
        for target in targets:
            for port in self.ports:
                if target in (port.number, port.name):
                    return port.address
        for port in self.ports:
            if port.number == 0:
                return port.address
        number = next((target for target in targets if isinstance(target, int)), None)
        return joined(self.host, number) if self.host and number is not None else None


def joined(address: str, port: int) -> str:
    """An address with a port, IPv6 in brackets; a Unix socket has none."""
    if address.startswith("unix:"):
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def has_labels(labels: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Whether all `wanted` are among `labels`."""
    return all(labels.get(name) == value for name, value in wanted.items())


def locality(text: str) -> Locality:
    """The locality that Istio writes as region/zone/subzone; of each part as much as a proxy takes."""
    region, zone, sub_zone = (part[:_PLACE_CHARACTERS] for part in (*text.split("/", 2), "", "")[:3])
    return Locality(region=region, zone=zone, sub_zone=sub_zone)

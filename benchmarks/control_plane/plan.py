"""A mesh by numbers: every service has as many endpoints, and is dialled by as many proxies, as any other."""

from dataclasses import dataclass

from mesh_core.channel.messages import DialInfo, WorkloadInfo

FAN_DIALLED_BY = (1, 10, 30, 100)
"""Besides, services that so many proxies dial, each with one endpoint, of a proxy of its own."""


@dataclass(frozen=True)
class Plan:
    """One proxy of the mesh."""

    node: str
    dials: tuple[DialInfo, ...]
    workloads: tuple[WorkloadInfo, ...]


@dataclass(frozen=True)
class Shape:
    """How large a mesh is. ``dials``: how many services each proxy dials."""

    services: int = 1000
    proxies: int = 1000
    endpoints: int = 10_000
    dials: int = 10

    def fans(self) -> tuple[int, ...]:
        """Return the numbers of proxies that dial a service of their own."""
        return tuple(count for count in FAN_DIALLED_BY if count <= self.proxies)

    def plans(self) -> list[Plan]:
        """Return all proxies, the owners of the fans' endpoints last."""
        each = self.endpoints // self.proxies
        stride = max(1, self.services // self.dials)
        plans = []
        for number in range(self.proxies):
            hosts = [_service((number + step * stride) % self.services) for step in range(self.dials)]
            hosts += [_fan(count) for count in self.fans() if number < count]
            served = [(number + step) % self.services for step in range(each)]
            workloads = tuple(_workload(_service(service), number, step) for step, service in enumerate(served))
            plans.append(Plan(f"proxy-{number:04}", _dials(dict.fromkeys(hosts)), workloads))
        owners = enumerate(self.fans(), self.proxies)
        return plans + [Plan(owner(count), (), (_workload(_fan(count), number, 0),)) for number, count in owners]

    def manifests(self) -> str:
        """Return a Service for every service."""
        names = [*(_service(number) for number in range(self.services)), *(_fan(count) for count in self.fans())]
        return "---\n".join(
            f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\n"
            "spec: {ports: [{name: http, port: 80, targetPort: http}]}\n"
            for name in names
        )


def owner(count: int) -> str:
    """Return the proxy that serves what so many proxies dial."""
    return f"owner-{count}"


def fan_host(count: int) -> str:
    """Return the cluster that the proxies have of it."""
    return f"{_fan(count)}.default.svc.cluster.local:80"


def _service(number: int) -> str:
    return f"service-{number:04}"


def _fan(count: int) -> str:
    return f"fan-{count}"


def _dials(hosts: dict[str, None]) -> tuple[DialInfo, ...]:
    return tuple(DialInfo(host=host) for host in hosts)


def _workload(service: str, proxy: int, step: int) -> WorkloadInfo:
    address = f"10.{proxy // 256}.{proxy % 256}.1"
    return WorkloadInfo(
        service=service, port=8080 + step, port_name="http", listen=f"{address}:{15006 + step}",
        app=f"127.0.0.1:{8080 + step}", protocol="http",
    )  # fmt: skip

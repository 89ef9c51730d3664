"""A session of the control channel, as generators and the model know it."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from mesh_core.channel.messages import WorkloadInfo
from mesh_cp.channel.session import Session
from mesh_cp.generators import Dial, Inbound, Proxy
from mesh_cp.model import Client, Workload, WorkloadPort
from mesh_cp.model.workload import locality

ID_PREFIX = "proxy/"
"""What the ids of workloads begin with that proxies have registered."""


def proxy_of(session: Session) -> Proxy:
    """What the proxy at the other end is, and wants."""
    hello = session.hello
    return Proxy(
        id=session.node,
        client=Client(namespace=hello.namespace, labels=hello.labels),
        locality=locality(hello.locality),
        inbound=tuple(
            Inbound(
                number=each.port,
                name=each.port_name,
                service=f"{each.service}.{each.namespace}",
                listen=each.listen,
                app=each.app,
                protocol=each.protocol,
            )
            for each in session.workloads
        ),
        outbound=hello.outbound or None,
        dials=tuple(
            Dial(host=each.host, port=each.port or None, listen=each.listen or None) for each in session.dials
        ),
        unknown=hello.unknown,
    )


def workloads_of(node: str, place: str, infos: Iterable[WorkloadInfo]) -> dict[str, Workload]:
    """The workloads of a proxy by their ids. `place`: region/zone/sub_zone."""
    return {each.id: each for each in (_workload(node, place, info) for info in infos)}


def _workload(node: str, place: str, info: WorkloadInfo) -> Workload:
    # Quoted, so that no name makes an id of another proxy's.
    parts = (quote(part, safe="") for part in (node, info.namespace, info.service, str(info.port)))
    return Workload(
        id=ID_PREFIX + "/".join(parts),
        namespace=info.namespace,
        name=node,
        ports=(WorkloadPort(number=info.port, address=info.listen, name=info.port_name),),
        services=(info.service,),
        labels=info.labels,
        locality=locality(place),
        weight=info.weight,
        healthy=info.healthy,
    )

"""A proxy, as generators need to know it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from mesh_core.config.schema import Locality
from mesh_cp.model import Client
from mesh_cp.model.service import Protocol


class Inbound(Struct, frozen=True, kw_only=True):
    """A port of the workload: where the proxy takes what is for it, and where the workload itself listens.

    With `protocol` auto it is what the Service `service`, a name of the client's namespace or a host, says of its port
    with the target `number` or `name`; where none does, it goes by the name.
    """

    number: int
    listen: str
    app: str
    name: str = ""
    service: str = ""
    protocol: Protocol = "auto"


class Dial(Struct, frozen=True, kw_only=True):
    """A host that the workload dials, by whatever name it may call it, or * for every one.

    With `listen`, an address of the proxy that stands for `port` of this host, whatever is spoken there; without a port
    the host's first. Requests of HTTP need none: they go by their Host through the outbound listener.
    """

    host: str
    port: int | None = None
    listen: str | None = None


class Proxy(Struct, frozen=True, kw_only=True):
    """What one proxy is, and wants.

    `outbound`: the address that takes requests for every host that it dials, None for none. `unknown`: what becomes of
    hosts that it dials and nobody knows: allow looks them up by DNS, refuse answers 502, as Istio's outbound policies.
    """

    id: str
    client: Client
    locality: Locality = Locality()
    inbound: tuple[Inbound, ...] = ()
    outbound: str | None = None
    dials: tuple[Dial, ...] = ()
    unknown: Literal["allow", "refuse"] = "allow"

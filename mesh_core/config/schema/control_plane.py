"""The control plane: where a proxy gets the rest of its configuration from, and what it says of itself there."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from mesh_core.config.schema.common import FilePath, Name
from mesh_core.config.schema.endpoint import Labels, Locality

HostPattern = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=255,
        pattern=r"^(\*|[A-Za-z0-9_]([A-Za-z0-9_.-]{0,253})?)$",
        extra={"form": "the host of a service, or * for every service"},
    ),
]


class Workload(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An instance of a service behind this proxy: an endpoint for others, as long as the proxy is there."""

    service: Annotated[Name, Meta(description="The service's name.", examples=["cart"])]
    namespace: Annotated[
        Name,
        Meta(description="The service's namespace. Default: default, as in Kubernetes.", examples=["shop"]),
    ] = "default"
    address: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=255,
            description=(
                "The address at which other proxies reach it: that of an inbound listener of this proxy, an IP "
                "address without a port. Default: 127.0.0.1, a mesh on one host."
            ),
            examples=["10.0.0.7"],
        ),
    ] = "127.0.0.1"
    port: Annotated[
        int,
        Meta(ge=1, le=65535, description="The port of that.", examples=[15006]),
    ]
    version: Annotated[
        str,
        Meta(max_length=128, description="Its version, also as the label `version`. Default: none.", examples=["v1"]),
    ] = ""
    labels: Annotated[
        Labels,
        Meta(description="Names and values that subsets are made by. Default: none.", examples=[{"track": "canary"}]),
    ] = {}
    locality: Annotated[
        Locality,
        Meta(description="Where it is. Default: nowhere in particular."),
    ] = Locality()
    weight: Annotated[
        int,
        Meta(ge=1, le=1_000_000, description="Its share among the endpoints. Default: 1, as in Envoy.", examples=[1]),
    ] = 1


class ControlPlane(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The control channel. What comes over it is served beside what the file says."""

    addresses: Annotated[
        tuple[str, ...],
        Meta(
            min_length=1,
            max_length=16,
            description=(
                "Where control planes listen, written as listeners' addresses; one that answers is enough. They are "
                "tried in turn, from a random one on."
            ),
            examples=[["unix:/run/hopmesh/channel.sock"]],
        ),
    ]
    node: Annotated[
        Name,
        Meta(
            description="The name of this proxy. No other proxy of the mesh has the same.",
            examples=["cart-1"],
        ),
    ]
    subscribe: Annotated[
        tuple[HostPattern, ...],
        Meta(
            description=(
                "The services that the workload dials, by name (cart), by name and namespace (cart.shop) or by whole "
                "host name (cart.shop.svc.cluster.local); * for every service. What it does not name it is not sent. "
                "Default: none."
            ),
            examples=[["cart", "payment.bank"]],
        ),
    ] = ()
    workloads: Annotated[
        tuple[Workload, ...],
        Meta(description="What this proxy stands before. Default: nothing, as of a gateway for clients."),
    ] = ()
    state: Annotated[
        FilePath | None,
        Meta(
            description=(
                "The file that keeps the last good configuration, for a start without a control plane; made with "
                "mode 0600. Default: none: then a start waits for nobody, and serves what the file alone says until "
                "a control plane answers."
            ),
            examples=["/var/lib/hopmesh/cart-1.state"],
        ),
    ] = None

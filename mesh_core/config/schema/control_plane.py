"""The control plane: where a proxy gets the rest of its configuration from, and what it says of itself there."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from mesh_core.config.schema.common import FilePath, Name
from mesh_core.config.schema.endpoint import Labels, Locality
from mesh_core.config.schema.health_check import HealthCheck

DialledHost = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=255,
        pattern=r"^(\*|[A-Za-z0-9_]([A-Za-z0-9_.-]{0,253})?)$",
        extra={"form": "the host of a service, or * for every service"},
    ),
]


class Workload(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A port of the workload behind this proxy: an endpoint for others, as long as the proxy is there."""

    service: Annotated[Name, Meta(description="The name of its service.", examples=["cart"])]
    namespace: Annotated[
        Name | None,
        Meta(
            description="The service's namespace. Default: none, which is that of `node`, or default.",
            examples=["shop"],
        ),
    ] = None
    port: Annotated[
        int,
        Meta(
            ge=1,
            le=65535,
            description="The port by which the service calls it, its targetPort. Each has another.",
            examples=[8080],
        ),
    ]
    port_name: Annotated[
        str,
        Meta(max_length=64, description="Another way to call it. Default: none.", examples=["http"]),
    ] = ""
    listen: Annotated[
        str,
        Meta(
            description=(
                "Where this proxy takes what is for it, an IP address and a port that other proxies reach. Nothing "
                "else may listen there: the listener comes from the control plane."
            ),
            examples=["10.0.0.7:15006"],
        ),
    ]
    app: Annotated[
        str,
        Meta(description="Where the workload itself listens, written as an endpoint.", examples=["127.0.0.1:8080"]),
    ]
    protocol: Annotated[
        Literal["auto", "http", "tcp"],
        Meta(
            description=(
                "What is spoken there. Default: auto, what the service's port says by its name or appProtocol, as in "
                "Istio."
            ),
        ),
    ] = "auto"
    version: Annotated[
        str,
        Meta(max_length=128, description="Its version, also as the label `version`. Default: none.", examples=["v1"]),
    ] = ""
    labels: Annotated[
        Labels,
        Meta(description="Names and values that subsets are made by. Default: none.", examples=[{"track": "canary"}]),
    ] = {}
    weight: Annotated[
        int,
        Meta(ge=1, le=1_000_000, description="Its share among the endpoints. Default: 1, as in Envoy.", examples=[1]),
    ] = 1
    health_check: Annotated[
        HealthCheck | None,
        Meta(
            description=(
                "How this proxy checks it. It is an endpoint for others from its first passed check on, and not while "
                "it is unhealthy. Default: none, it is one as long as the proxy is there."
            ),
        ),
    ] = None


class Dial(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A host that the workload dials."""

    host: Annotated[DialledHost, Meta(description="As a dial that is only its host.", examples=["cart"])]
    port: Annotated[
        Annotated[int, Meta(ge=1, le=65535)] | None,
        Meta(
            description="One port of the service. Default: none, all of them; with `listen`, the first.",
            examples=[80],
        ),
    ] = None
    listen: Annotated[
        str | None,
        Meta(
            description=(
                "An address of this proxy that stands for that port, whatever is spoken there. Default: none; requests "
                "of HTTP go through `outbound` by their Host."
            ),
            examples=["127.0.0.1:6379"],
        ),
    ] = None


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
    labels: Annotated[
        Labels,
        Meta(
            description="The workload's labels, for policy that goes by who dials. Default: none.",
            examples=[{"app": "cart"}],
        ),
    ] = {}
    locality: Annotated[
        Locality,
        Meta(description="Where it is: nearer endpoints can go first. Default: nowhere in particular."),
    ] = Locality()
    outbound: Annotated[
        str | None,
        Meta(
            description=(
                "The address of a listener that takes requests for every host that the workload dials, told apart by "
                "their Host; for example what the workload has for http_proxy. Default: none."
            ),
            examples=["127.0.0.1:15001"],
        ),
    ] = None
    dials: Annotated[
        tuple[DialledHost | Dial, ...],
        Meta(
            max_length=10_000,
            description=(
                "The services that the workload dials, by name (cart), by name and namespace (cart.shop) or by whole "
                "host name (cart.shop.svc.cluster.local); * for every service. What it does not dial the proxy is not "
                "sent. Default: none."
            ),
            examples=[["cart", "payment.bank"]],
        ),
    ] = ()
    unknown: Annotated[
        Literal["allow", "refuse"],
        Meta(
            description=(
                "What becomes of hosts that are dialled and that the mesh does not know. allow: they are looked up by "
                "DNS. refuse: requests are answered by 502. Default: allow, as Istio's outbound policy ALLOW_ANY."
            ),
        ),
    ] = "allow"
    workloads: Annotated[
        tuple[Workload, ...],
        Meta(max_length=64, description="What this proxy stands before. Default: nothing, as of a client alone."),
    ] = ()
    access_records_per_second: Annotated[
        Annotated[int, Meta(ge=0, le=1000)] | None,
        Meta(
            description=(
                "How many lines of the access log a second the control plane is told of, for `hopmesh logs`; of others "
                "it is told how many there were. Without an access_log, lines are written for that alone. Default: 20 "
                "with an access_log, else 0, our choice."
            ),
            examples=[20],
        ),
    ] = None
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

"""Active health checks: asking endpoints whether they can serve."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from mesh_core.config.schema.common import NaturalInt, Percent, PositiveInt
from mesh_core.config.schema.health_check_http import HttpHealthCheck

_PAYLOAD_CHARACTERS = 8192


class Payload(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Bytes, written in one of two ways."""

    text: Annotated[
        Annotated[str, Meta(min_length=1, max_length=_PAYLOAD_CHARACTERS)] | None,
        Meta(description="The bytes as text, sent as UTF-8. Default: none.", examples=["PING"]),
    ] = None
    hex: Annotated[
        Annotated[
            str,
            Meta(
                pattern="^([0-9A-Fa-f]{2})+$",
                max_length=_PAYLOAD_CHARACTERS,
                extra={"form": 'hexadecimal digits, two for each byte ("50494e47")'},
            ),
        ]
        | None,
        Meta(
            description="The bytes in hexadecimal, two digits each (Envoy calls this text). Default: none.",
            examples=["50494e47"],
        ),
    ] = None


class HealthCheck(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How endpoints are checked, and what follows. Times default to those of Kubernetes' probes."""

    type: Annotated[
        Literal["tcp", "tls", "http"],
        Meta(
            description=(
                "What an endpoint must do. tcp: accept a connection, and answer with the bytes of receive if there "
                "are any. tls: make a TLS handshake first, by the settings of the cluster's tls. http: answer a "
                "request, over TLS where the cluster has tls."
            ),
            examples=["tcp"],
        ),
    ]
    http: Annotated[
        HttpHealthCheck | None,
        Meta(description="The request of type: http, and what its answer must be. Default: none."),
    ] = None
    interval_ms: Annotated[
        PositiveInt,
        Meta(
            description="Milliseconds between two checks of an endpoint. Default: 10000, as Kubernetes' periodSeconds.",
            examples=[10_000],
        ),
    ] = 10_000
    unhealthy_interval_ms: Annotated[
        PositiveInt | None,
        Meta(
            description="Milliseconds between two checks of an unhealthy endpoint. Default: interval_ms, as in Envoy.",
            examples=[30_000],
        ),
    ] = None
    no_traffic_interval_ms: Annotated[
        PositiveInt | None,
        Meta(
            description=(
                "Milliseconds between two checks of an endpoint while no connection has gone to its cluster yet. "
                "Default: interval_ms, our choice: the first connection finds endpoints checked as the last one does "
                "(Envoy: 60000)."
            ),
            examples=[60_000],
        ),
    ] = None
    timeout_ms: Annotated[
        PositiveInt,
        Meta(
            description=(
                "Milliseconds in which a check must have passed. Default: 1000, as Kubernetes' timeoutSeconds."
            ),
            examples=[1000],
        ),
    ] = 1000
    unhealthy_threshold: Annotated[
        PositiveInt,
        Meta(
            description=(
                "Checks that fail in a row with which an endpoint becomes unhealthy. Default: 3, as Kubernetes' "
                "failureThreshold."
            ),
            examples=[3],
        ),
    ] = 3
    healthy_threshold: Annotated[
        PositiveInt,
        Meta(
            description=(
                "Checks that pass in a row with which an endpoint becomes healthy again; the first of all is enough "
                "by itself. Default: 1, as Kubernetes' successThreshold."
            ),
            examples=[2],
        ),
    ] = 1
    interval_jitter_percent: Annotated[
        Percent,
        Meta(
            description=(
                "Up to this percentage of an interval is added to it, at random. Default: 10, our choice, so that many "
                "proxies do not check together (Envoy: 0)."
            ),
            examples=[10],
        ),
    ] = 10
    initial_jitter_ms: Annotated[
        NaturalInt,
        Meta(
            description="Milliseconds before the first check at most, at random. Default: 0, as in Envoy.",
            examples=[100],
        ),
    ] = 0
    send: Annotated[
        Payload | None,
        Meta(description="What to send once connected; not with HTTP. Default: nothing."),
    ] = None
    receive: Annotated[
        tuple[Payload, ...],
        Meta(
            description=(
                "What must come in answer: each of these, in this order, whatever is between them, in the first "
                "64 KiB; of HTTP in the body. Default: nothing, to be connected is enough, or the status."
            ),
        ),
    ] = ()

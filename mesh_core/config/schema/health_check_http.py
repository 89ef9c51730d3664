"""Active health checks by HTTP/1.1: the request, and the answers that are good."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from mesh_core.config.schema.common import HeaderName, HeaderValue
from mesh_core.config.schema.url import Authority

StatusRange = Annotated[
    str,
    Meta(pattern="^[1-5][0-9]{2}-[1-5][0-9]{2}$", extra={"form": 'a range of statuses ("200-399")'}),
]


class HttpHealthCheck(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The request of a check, and the answer that an endpoint passes by."""

    path: Annotated[
        str,
        Meta(
            max_length=4096,
            pattern="^/[!-~]*$",
            extra={"form": "a path that begins with / (at most 4096 visible ASCII characters)"},
            description="The path, and the query if there is one.",
            examples=["/healthz"],
        ),
    ]
    method: Annotated[
        Literal["GET", "HEAD", "OPTIONS", "POST", "PUT"],
        Meta(description="The method; no body is sent. Default: GET, as in Envoy."),
    ] = "GET"
    host: Annotated[
        Authority | None,
        Meta(
            description=(
                "The Host header. Default: the host name that tls asks for or all endpoints share, else the endpoint's "
                "own address, as Kubernetes' probes (Envoy: the cluster's name)."
            ),
            examples=["app.internal"],
        ),
    ] = None
    request_headers: Annotated[
        dict[HeaderName, HeaderValue],
        Meta(
            description="Headers to add, at most 64 of them. Default: none but Host and User-Agent.",
            examples=[{"x-check": "1"}],
        ),
    ] = {}
    expected_statuses: Annotated[
        tuple[Annotated[int, Meta(ge=100, le=599)] | StatusRange, ...],
        Meta(
            description="Statuses that are good, or ranges of them. Default: 200, as in Envoy.",
            examples=[[200, "300-399"]],
        ),
    ] = (200,)
    reuse_connection: Annotated[
        bool,
        Meta(
            description=(
                "Whether checks go over one connection while the endpoint keeps it open. Default: false, our choice: "
                "that the endpoint still accepts connections is checked too, and none is held open (Envoy: true)."
            ),
        ),
    ] = False

"""What this proxy stands beside, and how it counts requests: the labels of its metrics."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from mesh_core.config.schema.common import Name

_UNKNOWN = "Default: none, which metrics call unknown, as Istio's do."


class Node(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The workload that this proxy serves: labels of Istio's metrics, the source's or the destination's."""

    workload: Annotated[
        Name | None,
        Meta(description=f"What the workload is called (source_workload …). {_UNKNOWN}", examples=["cart-v1"]),
    ] = None
    namespace: Annotated[
        Name | None,
        Meta(description=f"Its namespace (source_workload_namespace …). {_UNKNOWN}", examples=["shop"]),
    ] = None
    service: Annotated[
        Name | None,
        Meta(
            description=(
                "The service that inbound listeners take requests for (destination_service). Default: none, which "
                "is the name of the cluster that a request went to."
            ),
            examples=["cart.shop.svc.cluster.local"],
        ),
    ] = None
    app: Annotated[
        Name | None,
        Meta(description=f"The application (source_app …, canonical_service). {_UNKNOWN}", examples=["cart"]),
    ] = None
    version: Annotated[
        Name | None,
        Meta(description=f"Its version (source_version …, canonical_revision). {_UNKNOWN}", examples=["v1"]),
    ] = None
    cluster: Annotated[
        Name | None,
        Meta(
            description=f"The cluster of hosts that it runs in (source_cluster …), no upstream cluster. {_UNKNOWN}",
            examples=["eu-1"],
        ),
    ] = None
    principal: Annotated[
        Name | None,
        Meta(
            description=f"Its identity (source_principal …). {_UNKNOWN}",
            examples=["spiffe://mesh.local/ns/shop/sa/cart"],
        ),
    ] = None


class Metrics(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Bounds of what is counted."""

    max_request_series: Annotated[
        Annotated[int, Meta(ge=1, le=100_000)],
        Meta(
            description=(
                "Combinations of cluster, status and flags that each worker counts requests by; further ones are "
                "counted as one, with the labels `other`. Fixed while the process runs. Default: 2000, our choice: "
                "about 1 MiB for each worker if all are used (Envoy has no bound)."
            ),
            examples=[2000],
        ),
    ] = 2000

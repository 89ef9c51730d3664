"""How large the bodies of requests and responses may be."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

BodyBytes = Annotated[int, Meta(ge=0, le=2**53)]


class BodyLimits(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Bounds of bodies; what is not given here is as the virtual host says, then as the listener does."""

    request_bytes: Annotated[
        BodyBytes | None,
        Meta(
            description=(
                "Bytes of a request's body; 0 for no limit. A request that says it is larger is answered by 413 before "
                "anything is sent to an endpoint; one in chunks once it is (response flag DPE), and what was sent is "
                "cut. Default: no limit, as in Envoy: bodies are passed on as they come, and cost no memory."
            ),
            examples=[10_485_760],
        ),
    ] = None
    response_bytes: Annotated[
        BodyBytes | None,
        Meta(
            description=(
                "Bytes of a response's body; 0 for no limit. A response that says it is larger is replaced by 502; one "
                "that does not say so is cut once it is (response flag UPE). Default: no limit, as in Envoy."
            ),
            examples=[104_857_600],
        ),
    ] = None

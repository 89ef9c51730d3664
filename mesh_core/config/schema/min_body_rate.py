"""How slow a downstream may be."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from mesh_core.config.schema.common import NaturalInt, PositiveInt


class MinBodyRate(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Bytes that a downstream must move in each window of time, so that nobody holds an endpoint by being slow."""

    request_bytes_per_s: Annotated[
        NaturalInt,
        Meta(
            description=(
                "Bytes of a request's body in each second that must come; 0 for no limit. What is slower is answered "
                "by 408 (response flag DPE). Time in which the endpoint did not take what came is not counted. "
                "Default: 0: a stream of events that an application sends may rest for long (Kestrel: 240)."
            ),
            examples=[240],
        ),
    ] = 0
    response_bytes_per_s: Annotated[
        NaturalInt,
        Meta(
            description=(
                "Bytes in each second that a downstream must take of a response that waits for it; 0 for no limit. "
                "The connection of who is slower is reset (response flag DPE). Default: 0 (Kestrel: 240)."
            ),
            examples=[240],
        ),
    ] = 0
    grace_ms: Annotated[
        PositiveInt,
        Meta(
            description=(
                "Milliseconds from a request's head until its first window begins. Default: 5000, as in Kestrel: the "
                "network needs time to find its speed."
            ),
            examples=[5000],
        ),
    ] = 5000
    window_ms: Annotated[
        PositiveInt,
        Meta(
            description=(
                "Milliseconds of each window over which the rate is measured. Default: 5000, our choice: one lost "
                "packet and its retransmission fit (Kestrel: 1000)."
            ),
            examples=[5000],
        ),
    ] = 5000

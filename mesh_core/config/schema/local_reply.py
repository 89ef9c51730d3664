"""What answers of the proxy's own look like."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from mesh_core.config.schema.common import HeaderValue
from mesh_core.config.schema.header_modifier import HeaderModifier

ReplyStatus = Annotated[int, Meta(ge=200, le=599)]
ReplyWord = Annotated[
    str,
    Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_]+$", extra={"form": "a word of A-Z a-z 0-9 _"}),
]


class LocalReply(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which answers of the proxy's own, and what becomes of them. All of statuses, flags and details that are given
    must fit."""

    statuses: Annotated[
        tuple[ReplyStatus, ...],
        Meta(description="The answer has one of these statuses. Default: any.", examples=[[502, 503, 504]]),
    ] = ()
    flags: Annotated[
        tuple[ReplyWord, ...],
        Meta(
            description="The answer has one of these response flags. Default: any, or none.",
            examples=[["UH", "UF"]],
        ),
    ] = ()
    details: Annotated[
        tuple[ReplyWord, ...],
        Meta(
            description="The answer has one of these details (%RESPONSE_CODE_DETAILS%). Default: any.",
            examples=[["route_not_found"]],
        ),
    ] = ()
    status: Annotated[
        ReplyStatus | None,
        Meta(description="The status that is sent, and logged, instead. Default: the answer's.", examples=[404]),
    ] = None
    body: Annotated[
        Annotated[str, Meta(max_length=4096)] | None,
        Meta(
            description=(
                "What is sent as the body, as UTF-8, at most 4096 characters, with these operators of the access log: "
                "%RESPONSE_CODE%, %RESPONSE_CODE_DETAILS%, %RESPONSE_FLAGS%, %CONNECTION_ID%, and "
                "%LOCAL_REPLY_BODY%, the body that it replaces; %% is a percent sign. In a body whose content_type "
                "is JSON they stand in quotes but for numbers. Default: the answer's."
            ),
            examples=['{"status": %RESPONSE_CODE%, "reason": "%RESPONSE_CODE_DETAILS%"}'],
        ),
    ] = None
    content_type: Annotated[
        Annotated[HeaderValue, Meta(min_length=1)] | None,
        Meta(
            description="The Content-Type of `body`. Default: text/plain, as in Envoy.",
            examples=["application/json"],
        ),
    ] = None
    headers: Annotated[
        HeaderModifier | None,
        Meta(description="Changes of the answer's headers, before those of its route. Default: none."),
    ] = None

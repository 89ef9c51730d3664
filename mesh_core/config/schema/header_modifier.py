"""Changes of the headers of a message."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from mesh_core.config.schema.common import HeaderName, HeaderValue


class HeaderModifier(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Changes of headers: first those of `remove`, then `set`, then `add`. A name stands in one of them only."""

    set: Annotated[
        dict[HeaderName, HeaderValue],
        Meta(
            description=(
                "Headers and their values, in place of those of the same name. At most 16, as in the Gateway API. "
                "Default: none."
            ),
            examples=[{"x-team": "shop"}],
        ),
    ] = {}
    add: Annotated[
        dict[HeaderName, HeaderValue],
        Meta(
            description=(
                "Headers and their values, beside those of the same name. At most 16, as in the Gateway API. "
                "Default: none."
            ),
            examples=[{"x-team": "shop"}],
        ),
    ] = {}
    remove: Annotated[
        tuple[HeaderName, ...],
        Meta(
            description=(
                "Names of headers to leave out, however often they are there. At most 16, as in the Gateway API. "
                "Default: none."
            ),
            examples=[["x-debug"]],
        ),
    ] = ()

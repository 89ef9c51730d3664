"""The parts of a URL that a configuration may name."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from mesh_core.config.schema.common import HOST_LABEL

_PATH_CHARACTERS = r"[A-Za-z0-9!$&'()*+,;=:@._~%/-]*"
UrlPath = Annotated[
    str,
    Meta(
        max_length=4096,
        pattern=f"^/{_PATH_CHARACTERS}$",
        extra={"form": "a path (a slash and at most 4095 more of A-Z a-z 0-9 ! $ % & ' ( ) * + , - . / : ; = @ _ ~)"},
    ),
]
UrlPrefix = Annotated[
    str,
    Meta(
        max_length=4096,
        pattern=f"^(/{_PATH_CHARACTERS})?$",
        extra={
            "form": "nothing, or a path (a slash and at most 4095 more of "
            "A-Z a-z 0-9 ! $ % & ' ( ) * + , - . / : ; = @ _ ~)"
        },
    ),
]
_HOST = rf"({HOST_LABEL}(\.{HOST_LABEL})*|\[[0-9A-Fa-f:.]+\])"
UrlHost = Annotated[
    str,
    Meta(
        max_length=253,
        pattern=f"^{_HOST}$",
        extra={"form": "a host name or an IP address (IPv6 in brackets), without a port"},
    ),
]
Authority = Annotated[
    str,
    Meta(
        max_length=259,
        pattern=f"^{_HOST}(:[1-9][0-9]{{0,4}})?$",
        extra={"form": "a host name or an IP address (IPv6 in brackets), with or without a port"},
    ),
]

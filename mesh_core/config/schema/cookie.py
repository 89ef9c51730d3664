"""What a configuration may say of a cookie."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

CookieName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=256,
        pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$",
        extra={"form": "the name of a cookie (1 to 256 of A-Z a-z 0-9 ! # $ % & ' * + - . ^ _ ` | ~)"},
    ),
]
# A semicolon would end the attribute.
CookiePath = Annotated[
    str,
    Meta(
        max_length=4096,
        pattern=r"^/[A-Za-z0-9!$&'()*+=:@._~%/-]*$",
        extra={"form": "a path (a slash and at most 4095 more of A-Z a-z 0-9 ! $ % & ' ( ) * + - . / : = @ _ ~)"},
    ),
]
COOKIE_SECONDS = 34_560_000
"""The longest that a cookie may last: 400 days, beyond which browsers keep none (RFC 6265bis, section 5.5)."""

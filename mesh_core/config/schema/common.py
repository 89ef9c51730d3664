"""Types that several parts of the configuration share."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

# The workers keep times and counts in 64 bits: this leaves room to add them up. In milliseconds, 24.8 days.
LARGEST = 2**31 - 1

Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=128,
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.:/-]*$",
        extra={"form": "a name (1 to 128 of A-Z a-z 0-9 _ . : / -, the first a letter, a digit or _)"},
    ),
]
PositiveInt = Annotated[int, Meta(ge=1, le=LARGEST)]
NaturalInt = Annotated[int, Meta(ge=0, le=LARGEST)]
FilePath = Annotated[
    str,
    Meta(min_length=1, max_length=4095, extra={"form": "the path of a file, of 1 to 4095 characters"}),
]
Percent = Annotated[int, Meta(ge=0, le=100)]
Fraction = Annotated[float, Meta(ge=0, le=100)]
"""Percent, to a millionth of the whole."""

HeaderName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=256,
        pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$",
        extra={"form": "the name of a header (1 to 256 of A-Z a-z 0-9 ! # $ % & ' * + - . ^ _ ` | ~)"},
    ),
]
HeaderValue = Annotated[
    str,
    Meta(
        max_length=4096,
        pattern=r"^([^\x00-\x20\x7f]([^\x00-\x08\x0a-\x1f\x7f]*[^\x00-\x20\x7f])?)?$",
        extra={
            "form": "the value of a header (at most 4096 characters, no control characters, no blanks at either end)"
        },
    ),
]

RegularExpression = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=1024,
        extra={"form": "a regular expression (1 to 1024 characters)"},
    ),
]
MethodName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$",
        extra={"form": "a method (1 to 64 of A-Z a-z 0-9 ! # $ % & ' * + - . ^ _ ` | ~)"},
    ),
]

HOST_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
"""A part of a host name: the pattern of patterns. An underscore is in no host name by RFC 952, and in many by use."""

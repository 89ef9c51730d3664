"""Untrusted text made fit for a terminal."""

from __future__ import annotations


def escaped(text: str) -> str:
    """`text` with what a terminal would obey, or could not encode, written as an escape sequence."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)

"""What the tests of the HTTP/1 codec share: messages as bytes, and feeding them in pieces."""

from __future__ import annotations

from typing import Any

from mesh_core._testing.http1 import Head, Refused

INCOMPLETE = "incomplete"


def parse(kind: str, data: bytes, **limits: int) -> Head:
    """A complete head; raises Refused, or ValueError when there is no end of it."""
    head = Head(kind, **limits)
    if not head.feed(data):
        raise ValueError("the head is incomplete")
    return head


def judge(kind: str, data: bytes, method: bytes = b"GET", upgrade_asked: bool = False, **limits: int) -> dict[str, Any]:
    """What a complete head says, of itself and of its body; so too."""
    head = parse(kind, data, **limits)
    judged: dict[str, Any] = head.judge(method, upgrade_asked)
    return judged | head.start | {"fields": head.fields, "kept": head.kept, "size": head.size}


def verdict(kind: str, data: bytes, *pieces: bytes, **limits: int) -> Any:
    """Feed the pieces until there is a verdict: an error's text, INCOMPLETE, or all that the head says."""
    head = Head(kind, **limits)
    try:
        for piece in (data, *pieces):
            if head.feed(piece):
                return head.start, head.fields, head.size
    except Refused as refused:
        return refused.args[0]
    return INCOMPLETE


def every_cut(kind: str, data: bytes, **limits: int) -> Any:
    """The verdict, the same for the whole, for both parts of each cut in two, and byte by byte."""
    whole = verdict(kind, data, **limits)
    for cut in range(len(data) + 1):
        assert verdict(kind, data[:cut], data[cut:], **limits) == whole, cut
    assert verdict(kind, b"", *(data[at : at + 1] for at in range(len(data))), **limits) == whole
    return whole


def refusal(kind: str, data: bytes, method: bytes = b"GET", upgrade_asked: bool = False, **limits: int) -> str | None:
    """The error for which a head is refused, or None; the head must be whole, and cuts must not matter."""
    found = every_cut(kind, data, **limits)
    if isinstance(found, str):
        assert found != INCOMPLETE
        return found
    try:
        judge(kind, data, method, upgrade_asked, **limits)
    except Refused as refused:
        reason: str = refused.args[0]
        return reason
    return None

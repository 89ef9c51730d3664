"""What an endpoint must answer to an active health check, and how it fails. No I/O."""

from __future__ import annotations

from collections.abc import Sequence

from mesh_core.config import Payload

# The most that is read of an answer.
ANSWER_BYTES = 65536


class ProbeError(Exception):
    """The endpoint has failed the check; the text says how.

    `network`: it did not even answer. `final`: it asks to be taken out at once, whatever the threshold.
    `retry_after_s`: in how many seconds it asks to be checked again; 0 when it does not.
    """

    def __init__(self, reason: str, *, network: bool, final: bool = False, retry_after_s: int = 0) -> None:
        super().__init__(reason)
        self.network = network
        self.final = final
        self.retry_after_s = retry_after_s


class ProbeImpossible(Exception):
    """The check could not be made, for want of descriptors, memory or ports. It says nothing of the endpoint."""


def payload_bytes(payload: Payload) -> bytes:
    """The bytes that a payload stands for."""
    return bytes.fromhex(payload.hex) if payload.hex is not None else (payload.text or "").encode()


def answers(data: bytes | bytearray, wanted: Sequence[bytes]) -> bool:
    """Whether each of `wanted` is in `data`, one after the other, with anything between them."""
    place = 0
    for each in wanted:
        found = data.find(each, place)
        if found < 0:
            return False
        place = found + len(each)
    return True

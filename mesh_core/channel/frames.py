"""Frames: a length of four bytes, big-endian, and that many bytes behind it."""

from __future__ import annotations

import struct

FRAME_LIMIT_BYTES = 16 * 1024 * 1024
"""The longest frame, without its length."""

_LENGTH = struct.Struct(">I")


class ProtocolError(Exception):
    """The other end has said what it may not say. The text is for its operator; the connection is to be ended."""


def frame(body: bytes) -> bytes:
    """The frame of these bytes. Raises ProtocolError when they are too many."""
    if len(body) > FRAME_LIMIT_BYTES:
        raise ProtocolError(f"a frame of {len(body)} bytes, at most {FRAME_LIMIT_BYTES} are allowed")
    return _LENGTH.pack(len(body)) + body


class FrameReader:
    """Takes a stream apart, wherever it is cut. What it keeps is at most the limit of one frame and one `feed`."""

    def __init__(self, limit_bytes: int = FRAME_LIMIT_BYTES) -> None:
        self._limit = limit_bytes
        self._kept = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that are complete with `data`, without their lengths.

        Raises ProtocolError as soon as a length over the limit is seen, before any of such a frame is kept.
        """
        self._kept += data
        frames = []
        begin = 0
        while len(self._kept) - begin >= _LENGTH.size:
            (size,) = _LENGTH.unpack_from(self._kept, begin)
            if size > self._limit:
                raise ProtocolError(f"a frame of {size} bytes, at most {self._limit} are allowed")
            end = begin + _LENGTH.size + size
            if len(self._kept) < end:
                break
            frames.append(bytes(self._kept[begin + _LENGTH.size : end]))
            begin = end
        del self._kept[:begin]
        return frames

    @property
    def inside(self) -> bool:
        """Whether the stream would be cut inside a frame, were it to end here."""
        return bool(self._kept)

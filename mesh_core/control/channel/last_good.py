"""The last good resources on disk: what a proxy starts with while no control plane answers."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from mesh_core.channel.resources import Key, ResourceType
from mesh_core.control.channel.held import Held, resource

FORMAT = 1
SIZE_LIMIT_BYTES = 256 * 1024 * 1024


class _Kept(Struct, frozen=True, kw_only=True):
    format: Annotated[int, Meta(ge=FORMAT, le=FORMAT)]
    resources: tuple[tuple[ResourceType, str, bytes, bytes], ...]
    """Type, name, hash and content of each."""


class LastGood:
    """A file, written anew with each change: whoever reads it finds the whole of one or the whole of another."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def read(self) -> Held | None:
        """What was written last; None when nothing ever was. Raises OSError, ValueError."""
        try:
            with self._path.open("rb") as file:
                data = file.read(SIZE_LIMIT_BYTES + 1)
        except FileNotFoundError:
            return None
        if len(data) > SIZE_LIMIT_BYTES:
            raise ValueError(f"more than {SIZE_LIMIT_BYTES} bytes")
        try:
            kept = msgspec.msgpack.decode(data, type=_Kept)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"not written by hopmesh: {error}") from None
        return Held({Key(kind, name): resource(kind, told, encoded) for kind, name, told, encoded in kept.resources})

    def write(self, held: Held) -> None:
        """Write it. Raises OSError; then what was there before is there still."""
        kept = _Kept(
            format=FORMAT,
            resources=tuple((key.type, key.name, each.hash, each.encoded) for key, each in held.resources.items()),
        )
        data = msgspec.msgpack.encode(kept)
        beside = self._path.with_name(f"{self._path.name}.new")
        try:
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
        except BaseException:
            with contextlib.suppress(OSError):
                beside.unlink()
            raise

"""What manifests do to one another: conflicts, and names that lead nowhere."""

from __future__ import annotations

from msgspec import Struct

from mesh_cp.resources import Key


class Problem(Struct, frozen=True, kw_only=True):
    """Something that a sound manifest asks for and does not get, because of another or for want of one."""

    key: Key
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.key}: {self.path}: {self.message}"

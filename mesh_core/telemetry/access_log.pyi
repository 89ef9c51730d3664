from typing import Final, NamedTuple

STYLES: Final[dict[str, int]]

class Piece(NamedTuple):
    literal: bytes
    operator: str
    style: str
    field: str = ""
    limit: int = 0
    optional: bool = False
    alternate: Piece | None = None

class AccessFormat:
    def __init__(self, connection: list[Piece], request: list[Piece]) -> None: ...

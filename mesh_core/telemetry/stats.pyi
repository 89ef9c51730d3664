from typing import Final

COUNTER: Final[str]
GAUGE: Final[str]

# (name, type, help, words added, words subtracted)
Statistic = tuple[str, str, str, tuple[int, ...], tuple[int, ...]]
STATISTICS: Final[dict[str, tuple[tuple[str, ...], tuple[Statistic, ...]]]]

class StatsScope:
    kind: str
    labels: tuple[str, ...]
    workers: int
    def __init__(self, kind: str, labels: tuple[str, ...], workers: int) -> None: ...
    def count(self, name: str) -> None: ...
    def read(self) -> dict[str, int]: ...

class StatsRegistry:
    workers: int
    def __init__(self, workers: int) -> None: ...
    def scope(self, kind: str, *labels: str) -> StatsScope: ...
    def scopes(self, kind: str) -> list[StatsScope]: ...

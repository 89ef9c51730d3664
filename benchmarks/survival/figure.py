"""What a run found, and what it must be."""

from dataclasses import dataclass

from benchmarks.survival.account import Account


@dataclass(frozen=True)
class Figure:
    """A measured value, and the most or, with ``at_least``, the least that it must be; None: only told."""

    name: str
    value: float
    limit: float | None
    digits: int = 0
    at_least: bool = False

    @property
    def passed(self) -> bool:
        if self.limit is None:
            return True
        return self.value >= self.limit if self.at_least else self.value <= self.limit


@dataclass(frozen=True)
class Result:
    """What a scenario found."""

    figures: tuple[Figure, ...]
    account: Account

    @property
    def passed(self) -> bool:
        return all(each.passed for each in self.figures)


def common(account: Account) -> tuple[Figure, ...]:
    """Return the figures that every scenario has."""
    return (
        Figure("requests", account.requests, None),
        Figure("POSTs that arrived twice", len(account.duplicated), 0),
        Figure("wrong bytes", account.wrong, 0),
        Figure("failed without a reason in the log", len(account.unexplained), 0),
    )

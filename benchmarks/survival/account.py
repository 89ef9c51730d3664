"""What became of every request, by its number: what the load saw, what the origins saw, and what the proxy logged."""

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.survival import access_log, journal, outcome
from benchmarks.survival.access_log import Record
from benchmarks.survival.journal import Kind
from benchmarks.survival.outcome import End, Method, Outcome

_EXAMPLES = 5
_FOREVER = 1 << 63


class Account:
    """The figures of a run."""

    def __init__(self, outcomes: Iterable[Outcome], events: Iterable[journal.Event], records: Iterable[Record]):
        self.ends: Counter[End] = Counter()
        self.failures: list[Outcome] = []  # all that failed, by when they ended
        self.requests = 0
        self.arrived = 0  # requests at origins, each as often as it arrived
        self.corrupted = 0  # bodies that arrived whole at an origin, and were not what was sent
        self.duplicated: list[int] = []  # numbers of POSTs that arrived more than once
        self.causes: Counter[str] = Counter()  # of failed requests, as the proxy's log has them
        self.unexplained: list[str] = []  # failed requests of which the log does not say why
        # By number; a request that no outcome tells of has no method.
        self._methods, self._attempts, self._begun_us = array("B", [0]), array("B", [0]), array("Q", [0])
        self._successes_us = array("Q")  # when they ended
        for each in outcomes:
            self._add(each)
        self._join_journals(events)
        self._join_log(records)

    def _add(self, each: Outcome) -> None:
        self.requests += 1
        self.ends[each.end] += 1
        missing = each.number + 1 - len(self._methods)
        if missing > 0:
            for column in (self._methods, self._attempts, self._begun_us):
                column.frombytes(bytes(missing * column.itemsize))
        self._methods[each.number] = each.method
        self._begun_us[each.number] = each.begun_us
        if each.end is End.ANSWERED:
            self._successes_us.append(each.ended_us)
        elif each.end.failed:
            self.failures.append(each)

    def _join_journals(self, events: Iterable[journal.Event]) -> None:
        arrivals = array("B", bytes(len(self._methods)))
        for event in events:
            if event.kind is Kind.WRONG:
                self.corrupted += 1
            elif event.kind is Kind.BEGUN and event.number < len(arrivals):
                self.arrived += 1
                arrivals[event.number] = min(255, arrivals[event.number] + 1)
        self.duplicated = [number for number, count in enumerate(arrivals)
                           if count > 1 and self._methods[number] == Method.POST]

    def _join_log(self, records: Iterable[Record]) -> None:
        failures = {each.number: each for each in self.failures}
        logged: dict[int, Record] = {}
        for record in records:
            if record.number < len(self._attempts):
                self._attempts[record.number] = min(255, record.attempts)
            if record.number in failures:
                logged[record.number] = record
        for number, each in failures.items():
            cause = _cause(each, logged.get(number))
            if cause:
                self.causes[cause] += 1
            else:
                self.unexplained.append(f"{each.method.name} {number} {each.end.name} {each.status}, after "
                                        f"{each.took_us // 1000} ms: {logged.get(number, 'not in the log')}")

    # --- figures ---

    @property
    def failed(self) -> int:
        return len(self.failures)

    @property
    def wrong(self) -> int:
        """Answers and request bodies with bytes that nobody sent."""
        return self.ends[End.WRONG] + self.corrupted

    def failed_idempotent(self, since_us: int = 0) -> int:
        """Return how many idempotent requests that were begun at or after a time failed."""
        return sum(each.method.idempotent and each.begun_us >= since_us for each in self.failures)

    def idempotent(self, since_us: int = 0) -> int:
        """Return how many idempotent requests were begun at or after a time."""
        return sum(begun >= since_us and method in (Method.GET, Method.PUT)
                   for begun, method in zip(self._begun_us, self._methods, strict=True))

    def begun_us(self, number: int) -> int:
        """Return when a request was begun; 0 when nobody knows of it."""
        return self._begun_us[number] if number < len(self._begun_us) else 0

    def attempts_per_request(self, since_us: int = 1, until_us: int = _FOREVER) -> float:
        """Return the attempts that the proxy's log has, per request that was begun between two times."""
        chosen = [attempts for begun, attempts in zip(self._begun_us, self._attempts, strict=True)
                  if since_us <= begun < until_us]
        return sum(chosen) / len(chosen) if chosen else float("inf")

    def count(self, since_us: int, until_us: int) -> int:
        """Return how many requests were begun between two times."""
        return sum(since_us <= begun < until_us for begun in self._begun_us)

    def first_success_us(self, since_us: int) -> float:
        """Return when the first right answer came at or after a time; infinity: none did."""
        return min((each for each in self._successes_us if each >= since_us), default=float("inf"))

    def examples(self) -> list[str]:
        """Return a few of what is unexplained or duplicated, in words."""
        return [*self.unexplained[:_EXAMPLES], *(f"POST {each} arrived twice" for each in self.duplicated[:_EXAMPLES])]


def account(outcomes: Path, journals: Sequence[Path], log: Path) -> Account:
    """Join the files of the load, the origins and the proxy."""
    events = (event for path in journals for event in journal.read(path))
    return Account(outcome.read(outcomes), events, access_log.read(log))


def _cause(failure: Outcome, record: Record | None) -> str:
    """Return why a request failed; empty when that cannot be told from the proxy's record of it."""
    if record is None:
        return ""
    if failure.end is End.PASSED_ON:
        # The origin has spoken for itself; the proxy may add why it took no for an answer.
        return f"{record.flags} via_upstream".strip() if record.status == failure.status else ""
    return record.cause

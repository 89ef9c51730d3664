"""An immutable mapping of which a changed copy is cheap: what a world of thousands of hosts is made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Generic, TypeVar, overload

_BUCKETS = 256

_Value = TypeVar("_Value")
_Default = TypeVar("_Default")


class Table(Mapping[str, _Value], Generic[_Value]):
    """A mapping from strings, in buckets by hash: a copy with some changes copies the buckets of those only."""

    __slots__ = ("_buckets", "_size")

    def __init__(self, items: Iterable[tuple[str, _Value]] = ()) -> None:
        self._buckets: list[dict[str, _Value]] = [{} for _ in range(_BUCKETS)]
        for key, value in items:
            self._buckets[hash(key) % _BUCKETS][key] = value
        self._size = sum(map(len, self._buckets))

    def __getitem__(self, key: str) -> _Value:
        return self._buckets[hash(key) % _BUCKETS][key]

    # What Mapping has for these goes by exceptions.

    def __contains__(self, key: object) -> bool:
        return key in self._buckets[hash(key) % _BUCKETS]

    @overload
    def get(self, key: str, /) -> _Value | None: ...

    @overload
    def get(self, key: str, /, default: _Value | _Default) -> _Value | _Default: ...

    def get(self, key: str, /, default: object = None) -> object:
        return self._buckets[hash(key) % _BUCKETS].get(key, default)

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(self._buckets)

    def __len__(self) -> int:
        return self._size

    def changed(self, changes: Mapping[str, _Value | None]) -> Table[_Value]:
        """A copy in which the keys of `changes` have those values, or are gone where that is None."""
        copy: Table[_Value] = Table.__new__(Table)
        copy._buckets = list(self._buckets)
        copied: set[int] = set()
        size = self._size
        for key, value in changes.items():
            place = hash(key) % _BUCKETS
            if place not in copied:
                copied.add(place)
                copy._buckets[place] = dict(copy._buckets[place])
            bucket = copy._buckets[place]
            size -= len(bucket)
            if value is None:
                bucket.pop(key, None)
            else:
                bucket[key] = value
            size += len(bucket)
        copy._size = size
        return copy

    def differing(self, other: Table[_Value]) -> Iterator[tuple[dict[str, _Value], dict[str, _Value]]]:
        """The parts of both in which they may differ, side by side; what they share is passed over."""
        return ((mine, its) for mine, its in zip(self._buckets, other._buckets, strict=True) if mine is not its)

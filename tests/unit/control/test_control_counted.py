"""What a proxy has counted, as it tells it: growth since the last time, of each worker."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from mesh_core.channel.messages import RequestGrowth
from mesh_core.control.channel import counted as counted_module
from mesh_core.control.channel.counted import CountedRequests
from mesh_core.control.proxy import Proxy
from mesh_core.control.record_share import RecordShare
from mesh_core.telemetry.request_metrics import Series


def series(cluster: int | None, requests: int, durations: list[int], status: int = 200) -> Series:
    """`durations`: of two buckets and the sum in microseconds."""
    return Series(cluster, 0, status, False, False, requests, durations, [], [])


class Fake:
    """As much of a Proxy as is asked."""

    def __init__(self) -> None:
        self.request_series: list[list[Series]] = [[], []]
        self.active_connections = 0
        self.record_share: RecordShare | None = None
        self.registry = SimpleNamespace(cluster_names=["", "cart", ""])

    def counted(self) -> CountedRequests:
        return CountedRequests(cast("Proxy", self))


def growth(cluster: str, requests: int, durations: dict[int, int], sum_us: int, status: int = 200) -> RequestGrowth:
    return RequestGrowth(cluster, False, status, 0, requests, durations, sum_us)


def test_only_what_has_grown() -> None:
    proxy = Fake()
    counted = proxy.counted()
    assert counted.growth() is None
    proxy.request_series = [[series(1, 3, [1, 2, 30])], [series(1, 1, [0, 1, 5]), series(None, 2, [2, 0, 1], 0)]]
    proxy.active_connections = 4
    told: Any = counted.growth()
    assert (told.connections, told.records, told.dropped) == (4, (), 0)
    assert told.requests == (
        growth("cart", 3, {0: 1, 1: 2}, 30), growth("cart", 1, {1: 1}, 5), growth("other", 2, {0: 2}, 1, 0),
    )  # fmt: skip
    assert counted.growth() is None
    proxy.request_series[0][0] = series(1, 4, [1, 3, 42])
    proxy.request_series[1].append(series(2, 1, [1, 0, 2]))
    told = counted.growth()
    assert told.requests == (growth("cart", 1, {1: 1}, 12), growth("unknown", 1, {0: 1}, 2))
    proxy.active_connections = 0
    told = counted.growth()
    assert (told.connections, told.requests) == (0, ())


def test_what_is_too_much_for_one_message_comes_with_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counted_module, "GROWTHS_MOST", 2)
    proxy = Fake()
    proxy.request_series = [[series(1, 1, [1, 0, 1], status) for status in (200, 404, 500)]]
    counted = proxy.counted()
    first, second = cast("Any", counted.growth()), cast("Any", counted.growth())
    assert [each.status for each in (*first.requests, *second.requests)] == [200, 404, 500]
    assert counted.growth() is None


def test_lines_of_the_access_log_go_along() -> None:
    proxy = Fake()
    proxy.record_share = RecordShare(1, lambda: 0.0)
    counted = proxy.counted()
    proxy.record_share.take(b"one\ntwo\n")
    told: Any = counted.growth()
    assert (told.records, told.dropped) == (("one",), 1)
    assert counted.growth() is None

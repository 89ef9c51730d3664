"""Counters: sums, gauges, lifetimes, and that every counter is told to somebody."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from mesh_core._testing.telemetry import STAT_COUNTS, add_to_stat, stat_block
from mesh_core.runtime.memory import fail_allocations_after_for_test
from mesh_core.telemetry.stats import COUNTER, GAUGE, STATISTICS, StatsRegistry, StatsScope

LABELS = {
    "server": (),
    "listener": ("in",),
    "cluster": ("app",),
    "endpoint": ("app", "127.0.0.1:1"),
    "outlier_detection": ("app",),
    "adaptive_concurrency": ("app",),
    "health_check": ("app",),
    "rate_limit": ("api",),
    "mirror": ("app",),
    "overload": (),
}
SUMS = {"ejections_enforced_total"}


@pytest.mark.parametrize("kind", STATISTICS)
def test_every_word_is_told_and_none_is_made_up(kind: str) -> None:
    labels, statistics = STATISTICS[kind]
    assert len(labels) == len(LABELS[kind])
    added = Counter(
        word for name, type_, _, words, _ in statistics if type_ == COUNTER and name not in SUMS for word in words
    )
    everything = {word for *_, plus, minus in statistics for word in (*plus, *minus)}
    assert everything == set(range(STAT_COUNTS[kind]))
    # No counter counts twice.
    assert set(added.values()) <= {1}
    names = [name for name, *_ in statistics]
    assert len(set(names)) == len(names)
    for name, type_, help_text, _, subtracted in statistics:
        assert type_ in (COUNTER, GAUGE)
        # Those of overload protection are written whole.
        assert (type_ == GAUGE) == (bool(subtracted) or (kind == "overload" and name != "entered")), name
        assert help_text and not help_text.endswith(".")


def test_the_table_has_every_kind() -> None:
    assert set(STATISTICS) == set(STAT_COUNTS)


def test_the_control_thread_counts_too() -> None:
    scope = StatsScope("cluster", ("app",), 3)
    for _ in range(3):
        scope.count("update_attempt")
    scope.count("update_empty")
    assert {name: value for name, value in scope.read().items() if value} == {"update_attempt": 3, "update_empty": 1}
    with pytest.raises(KeyError):
        scope.count("no_such_counter")


@pytest.mark.parametrize("kind", STATISTICS)
def test_values_are_sums_over_workers(kind: str) -> None:
    workers = 5
    scope = StatsScope(kind, LABELS[kind], workers)
    assert set(scope.read().values()) == {0}
    for worker in range(workers):
        for word in range(STAT_COUNTS[kind]):
            add_to_stat(scope, worker, word, (worker + 1) * 2**word)
    for name, _, _, added, subtracted in STATISTICS[kind][1]:
        expected = 15 * (sum(2**word for word in added) - sum(2**word for word in subtracted))
        assert scope.read()[name] == max(0, expected)


def test_a_counter_may_be_larger_than_a_signed_word() -> None:
    scope = StatsScope("server", (), 2)
    add_to_stat(scope, 0, 0, 2**63)
    add_to_stat(scope, 1, 0, 5)
    assert scope.read()["downstream_cx_shed"] == 2**63 + 5


def test_a_gauge_is_never_negative() -> None:
    scope = StatsScope("endpoint", ("app", "a"), 1)
    add_to_stat(scope, 0, 1, 3)  # the words are read while workers write
    assert scope.read()["cx_active"] == 0


def test_each_worker_writes_to_cache_lines_of_its_own() -> None:
    scope = StatsScope("listener", ("in",), 4)
    blocks = [stat_block(scope, worker) for worker in range(4)]
    assert all(block % 64 == 0 for block in blocks)
    size = STAT_COUNTS["listener"] * 8
    assert all(later - earlier >= size for earlier, later in itertools.pairwise(blocks))


def test_a_scope_is_shared_by_those_who_ask_for_it() -> None:
    registry = StatsRegistry(2)
    first = registry.scope("cluster", "app")
    assert registry.scope("cluster", "app") is first
    assert registry.scope("cluster", "other") is not first
    assert registry.scope("listener", "app") is not first
    assert (first.kind, first.labels, first.workers) == ("cluster", ("app",), 2)


def test_a_scope_goes_with_its_last_user() -> None:
    registry = StatsRegistry(1)
    first = registry.scope("endpoint", "app", "b")
    second = registry.scope("endpoint", "app", "a")
    assert registry.scopes("endpoint") == [second, first]
    add_to_stat(first, 0, 0, 7)
    another_user = first
    del first
    assert registry.scope("endpoint", "app", "b").read()["cx_total"] == 7
    del another_user
    assert registry.scopes("endpoint") == [second]
    # What comes back under the old name starts from nothing.
    assert registry.scope("endpoint", "app", "b").read()["cx_total"] == 0


def test_without_memory() -> None:
    registry = StatsRegistry(1)
    fail_allocations_after_for_test(0)
    with pytest.raises(MemoryError):
        registry.scope("server")
    fail_allocations_after_for_test(None)
    assert registry.scopes("server") == []


def test_an_unknown_kind() -> None:
    with pytest.raises(KeyError):
        StatsScope("route", (), 1)

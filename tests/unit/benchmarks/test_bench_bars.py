"""The bars: which peer counts, and when a bar is passed, failed, or left open."""

import pytest
from bench_results import results

from benchmarks.bars import BARS, Bar, check, check_all
from benchmarks.peers import PEERS
from benchmarks.scenarios import SCENARIOS

CPU = Bar("tcp-64", "cpu_us", "CPU", 0.90, ("haproxy", "nginx"))
ADDED = Bar("tcp-1", "added_p50_us", "added", 0.0, ("haproxy", "nginx"), difference=True)


def _cpu(**by_proxy):
    return results({("tcp-64", proxy, "cpu_us"): values for proxy, values in by_proxy.items()})


def test_the_better_of_two_peers_is_the_one_that_counts():
    verdict = check(CPU, _cpu(hopmesh=[17.0, 17.0], haproxy=[18.0, 18.0], nginx=[20.0, 20.0]))
    assert verdict.against == "haproxy"
    assert verdict.value.median == pytest.approx(17 / 18)
    assert verdict.passed is False


def test_a_ratio_at_the_limit_passes():
    assert check(CPU, _cpu(hopmesh=[9.0], haproxy=[10.0], nginx=[11.0])).passed is True


def test_a_missing_peer_leaves_a_reached_bar_open():
    verdict = check(CPU, _cpu(hopmesh=[8.0], haproxy=[10.0]))
    assert verdict.absent == ("nginx",)
    assert verdict.passed is None


def test_a_missing_peer_does_not_excuse_a_missed_bar():
    assert check(CPU, _cpu(hopmesh=[10.0], haproxy=[10.0])).passed is False


def test_without_hopmesh_a_bar_is_open():
    assert check(CPU, _cpu(haproxy=[10.0], nginx=[10.0])).passed is None


def test_added_latency_is_compared_by_difference():
    run = results({
        ("tcp-1", "direct", "p50_us"): [20.0, 25.0],
        ("tcp-1", "hopmesh", "p50_us"): [44.0, 49.0],
        ("tcp-1", "haproxy", "p50_us"): [50.0, 55.0],
        ("tcp-1", "nginx", "p50_us"): [45.0, 50.0],
    })
    verdict = check(ADDED, run)
    assert (verdict.against, verdict.value.median, verdict.passed) == ("nginx", -1.0, True)


@pytest.mark.parametrize(("values", "passed"), [([0.9, 1.0, 1.2], True), ([0.9, 1.1, 1.2], False)])
def test_an_absolute_bar_holds_the_median_against_the_limit(values, passed):
    bar = Bar("idle-memory", "kib_per_connection", "KiB", 1.0)
    assert check(bar, results({("idle-memory", "hopmesh", "kib_per_connection"): values})).passed is passed


def test_only_scenarios_that_ran_are_judged():
    verdicts = check_all(_cpu(hopmesh=[1.0], floor=[1.0]))
    assert {verdict.bar.scenario for verdict in verdicts} == {"tcp-64"}


def test_every_bar_names_things_that_exist():
    for bar in BARS:
        keys = {metric.key for metric in SCENARIOS[bar.scenario].metrics}
        assert bar.metric in keys
        assert set(bar.peers) <= PEERS.keys()

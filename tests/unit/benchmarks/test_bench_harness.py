"""The schedule, the processors, and the reading of what wrk prints."""

import os
import sys

import pytest

from benchmarks.cpus import Arrangement, assign
from benchmarks.errors import BenchmarkError
from benchmarks.measure.requests import parse_wrk
from benchmarks.processes import Program, family
from benchmarks.runner import clock, schedule
from benchmarks.scenarios import SCENARIOS
from benchmarks.usage import cpu_ns, memory_kib

PROXIES = ["hopmesh", "direct", "haproxy", "nginx"]


def test_each_round_has_every_proxy_once_in_each_scenario():
    jobs = schedule([SCENARIOS["tcp-1"], SCENARIOS["tcp-64"]], PROXIES, 3)
    for number in (1, 2, 3):
        for name in ("tcp-1", "tcp-64"):
            done = [proxy for round_, scenario, proxy in jobs if (round_, scenario.name) == (number, name)]
            assert sorted(done) == sorted(PROXIES)


def test_rounds_are_interleaved_and_their_order_differs():
    jobs = schedule([SCENARIOS["tcp-1"]], PROXIES, 6)
    assert [number for number, _, _ in jobs] == sorted(number for number, _, _ in jobs)
    orders = {tuple(proxy for number, _, proxy in jobs if number == round_) for round_ in range(1, 7)}
    assert len(orders) > 1


def test_a_schedule_can_be_repeated():
    assert schedule(list(SCENARIOS.values()), PROXIES, 2) == schedule(list(SCENARIOS.values()), PROXIES, 2)


def test_scenarios_take_only_the_proxies_that_fit():
    jobs = schedule([SCENARIOS["gil-hold"], SCENARIOS["idle-memory"]], PROXIES, 1)
    found = sorted((scenario.name, proxy) for _, scenario, proxy in jobs)
    assert found == [("gil-hold", "hopmesh"), ("idle-memory", "haproxy"), ("idle-memory", "hopmesh"),
                     ("idle-memory", "nginx")]


def test_a_scenario_takes_only_the_proxies_that_can_do_its_mode():
    jobs = schedule([SCENARIOS["mtls-full"]], [*PROXIES, "floor", "envoy"], 1)
    assert sorted(proxy for _, _, proxy in jobs) == ["envoy", "haproxy", "hopmesh", "nginx"]


def test_steady_figures_stop_after_a_few_rounds():
    jobs = schedule([SCENARIOS["resident"]], ["hopmesh"], 9)
    assert len(jobs) == SCENARIOS["resident"].most_rounds


def test_one_cpu_is_shared_by_all():
    cpus = assign(Arrangement.ONE_CPU, frozenset({0, 1, 2}))
    assert cpus.proxy == cpus.rest == {2}


def test_with_two_cpus_the_proxy_has_its_own():
    cpus = assign(Arrangement.TWO_CPUS, frozenset({4, 5, 6}))
    assert (cpus.proxy, cpus.rest) == ({6}, {4})


def test_a_single_cpu_serves_every_arrangement():
    cpus = assign(Arrangement.TWO_CPUS, frozenset({3}))
    assert cpus.proxy == cpus.rest == {3}


def test_wrk_report_is_found_among_its_output():
    assert parse_wrk('Running 1s test\n  Latency 1.0us\n\n{"p50_us": 20}\n') == {"p50_us": 20}


def test_wrk_without_a_report_is_an_error_that_quotes_it():
    with pytest.raises(BenchmarkError, match="unable to connect"):
        parse_wrk("unable to connect to 127.0.0.1:1 Connection refused\n")


@pytest.mark.parametrize(("seconds", "shown"), [(0.4, "0m00s"), (61.0, "1m01s"), (3599.9, "59m59s")])
def test_clock(seconds, shown):
    assert clock(seconds) == shown


def test_a_program_is_stopped_with_its_children(tmp_path):
    script = "sleep 600 & echo started; sleep 600"
    with Program(["sh", "-c", script], cpus=os.sched_getaffinity(0), log=tmp_path / "log") as program:
        while "started" not in program.output():
            program.check()
        pids = family(program.pid)
        assert len(pids) >= 2
    assert not program.running()


def test_a_program_that_fails_says_what_it_printed(tmp_path):
    argv = [sys.executable, "-c", "import sys; sys.exit('no such port')"]
    with Program(argv, cpus=os.sched_getaffinity(0), log=tmp_path / "log") as program, \
            pytest.raises(BenchmarkError, match="status 1: no such port"):
        program.wait(30)


def test_usage_of_this_process_is_read():
    pids = [os.getpid()]
    before = cpu_ns(pids)
    sum(range(300_000))
    assert cpu_ns(pids) > before
    assert memory_kib(pids)["rss"] >= memory_kib(pids)["pss"] * 0.9 > 0

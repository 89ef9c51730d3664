"""What the terminal shows."""

from bench_results import results

from benchmarks.bars import Bar, Verdict, check
from benchmarks.compare import compare
from benchmarks.ratios import Spread
from benchmarks.results import Measurement
from benchmarks.scenarios import SCENARIOS
from benchmarks.table import bar_line, changes_table, columns, scenario_table, spread

TCP64 = SCENARIOS["tcp-64"]


def _row(text, proxy):
    return next(line.split() for line in text.splitlines() if line.strip().startswith(f"{proxy} "))


def test_a_spread_shows_its_range():
    assert spread(Spread(14.26, 13.0, 1015.5, 3), 1) == "14.3 (13.0–1,015.5)"


def test_a_single_value_has_no_range_and_none_is_a_dash():
    assert spread(Spread(2.0, 2.0, 2.0, 1), 2) == "2.00"
    assert spread(None, 2) == "–"


def test_columns_are_aligned():
    lines = columns([["proxy", "n"], ["a", "1,000"], ["longer", "2"]]).splitlines()
    assert lines[0] == "  proxy        n"
    assert lines[2] == "  a        1,000"
    assert lines[3] == "  longer       2"


def test_the_ratio_of_hopmesh_stands_beside_each_peer():
    run = results({("tcp-64", "hopmesh", "cpu_us"): [9.0, 8.0], ("tcp-64", "nginx", "cpu_us"): [10.0, 10.0]})
    text = scenario_table(run, TCP64)
    assert "hopmesh is … × of it" in text
    assert _row(text, "nginx")[-2:] == ["0.85", "(0.80–0.90)"]


def test_without_hopmesh_the_floor_is_the_reference():
    run = results({("tcp-64", "floor", "cpu_us"): [8.0], ("tcp-64", "nginx", "cpu_us"): [10.0]})
    assert "floor is … × of it" in scenario_table(run, TCP64)


def test_missing_and_failed_proxies_say_why():
    run = results({("tcp-64", "hopmesh", "cpu_us"): [9.0]}, missing={"envoy": "not installed: do this"})
    run.proxies["nginx"] = {"version": "1"}
    for number in (1, 2):
        run.measurements.append(Measurement("tcp-64", "nginx", number, error="nginx ended early"))
    text = scenario_table(run, TCP64)
    assert _row(text, "envoy")[1] == "missing"
    assert "envoy is missing: not installed: do this" in text
    assert _row(text, "nginx")[1] == "failed"
    assert text.count("nginx ended early") == 1


def test_direct_is_not_shown_where_only_a_proxy_makes_sense():
    run = results({("resident", "hopmesh", "rss_mib"): [30.0], ("tcp-1", "direct", "p50_us"): [20.0]})
    assert "direct" not in scenario_table(run, SCENARIOS["resident"])


def test_a_bar_says_what_must_be_and_what_is():
    run = results({("tcp-64", proxy, "cpu_us"): [value] for proxy, value in
                   {"hopmesh": 8.7, "haproxy": 10.0, "nginx": 12.0}.items()})
    bar = Bar("tcp-64", "cpu_us", "CPU per request", 0.90, ("haproxy", "nginx"))
    assert bar_line(check(bar, run)) == (
        "  PASS  tcp-64: CPU per request: must be ≤ 0.90 × the best of haproxy and nginx – "
        "0.87 against haproxy")


def test_a_bar_that_was_not_measured_is_open():
    line = bar_line(Verdict(Bar("resident", "rss_mib", "MiB", 45.0), None))
    assert line == "  open  resident: MiB: must be ≤ 45 – not measured"


def test_a_baseline_is_compared_by_ratios_to_the_peers():
    then = results({("tcp-64", "hopmesh", "cpu_us"): [8.0, 8.1, 8.2], ("tcp-64", "nginx", "cpu_us"): [10] * 3})
    # A machine of half the speed, on which hopmesh costs 10 % more than that explains.
    now = results({("tcp-64", "hopmesh", "cpu_us"): [17.6, 17.8, 18], ("tcp-64", "nginx", "cpu_us"): [20] * 3})
    (change,) = compare(then, now)
    assert (change.scenario, change.word) == ("tcp-64", "WORSE")
    assert round(change.ratio, 2) == 1.10
    assert "WORSE" in changes_table([change], "before.json")


def test_ranges_that_touch_are_no_change():
    then = results({("tcp-64", "hopmesh", "cpu_us"): [8.0, 8.5, 9.0], ("tcp-64", "nginx", "cpu_us"): [10] * 3})
    now = results({("tcp-64", "hopmesh", "cpu_us"): [8.9, 9, 9.9], ("tcp-64", "nginx", "cpu_us"): [10] * 3})
    (change,) = compare(then, now)
    assert change.word == "ranges overlap"


def test_a_single_round_decides_nothing():
    then = results({("tcp-64", "hopmesh", "cpu_us"): [8.0], ("tcp-64", "nginx", "cpu_us"): [10.0]})
    now = results({("tcp-64", "hopmesh", "cpu_us"): [16.0], ("tcp-64", "nginx", "cpu_us"): [10.0]})
    (change,) = compare(then, now)
    assert change.word == "too few rounds"

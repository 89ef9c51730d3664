"""Figures by round, derived latencies, and the way to a file and back."""

import pytest
from bench_results import results

from benchmarks.errors import BenchmarkError
from benchmarks.results import Measurement, load


def test_added_latency_is_over_direct_in_the_same_round():
    run = results({("tcp-1", "hopmesh", "p50_us"): [50.0, 70.0], ("tcp-1", "direct", "p50_us"): [20.0, 30.0]})
    assert run.by_round("tcp-1", "hopmesh", "added_p50_us") == {1: 30.0, 2: 40.0}


def test_direct_adds_nothing_to_itself():
    run = results({("tcp-1", "direct", "p50_us"): [20.0]})
    assert run.by_round("tcp-1", "direct", "added_p50_us") == {}


def test_results_survive_the_file(tmp_path):
    run = results({("tcp-64", "hopmesh", "cpu_us"): [1.5, 2.5]}, missing={"envoy": "not installed"})
    run.measurements.append(Measurement("tcp-64", "hopmesh", 3, error="it ended early"))
    run.save(tmp_path / "sub" / "results.json")
    assert load(tmp_path / "sub" / "results.json") == run


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 1}', '{"schema": 99}'])
def test_another_file_is_refused_by_name(tmp_path, text):
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(BenchmarkError, match=r"other\.json"):
        load(path)

"""Builds results for the tests without measuring."""

from benchmarks.results import Measurement, Results

Figures = dict[tuple[str, str, str], list[float]]


def results(figures: Figures, missing: dict[str, str] | None = None) -> Results:
    """Return a run. ``figures`` maps (scenario, proxy, metric) to its values in rounds 1, 2, …"""
    by_job: dict[tuple[str, str, int], dict[str, float]] = {}
    for (scenario, proxy, metric), values in figures.items():
        for number, value in enumerate(values, start=1):
            by_job.setdefault((scenario, proxy, number), {})[metric] = value
    proxies = {proxy: {"version": "1"} for _, proxy, _ in figures}
    proxies |= {name: {"missing": reason} for name, reason in (missing or {}).items()}
    measurements = [Measurement(*job, figures=found) for job, found in by_job.items()]
    return Results("2026-01-01T00:00:00+00:00", {}, {}, proxies, measurements)

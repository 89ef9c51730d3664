"""Bytes in bulk: a load of our own."""

from benchmarks.errors import BenchmarkError
from benchmarks.measure.requests import whole
from benchmarks.measure.trial import Trial
from benchmarks.programs import program


def bulk_down(trial: Trial) -> dict[str, float]:
    """Return CPU seconds of the proxy per GB (10^9 bytes) and GB per second, from the origin to the load."""
    return _bulk(trial, "source", "down")


def bulk_up(trial: Trial) -> dict[str, float]:
    """Return the same for bytes from the load to the origin."""
    return _bulk(trial, "sink", "up")


def http_bulk(trial: Trial) -> dict[str, float]:
    """Return the same for large bodies that answer requests on keep-alive connections."""
    return _bulk(trial, "bodies")


def _bulk(trial: Trial, origin_mode: str, *direction: str) -> dict[str, float]:
    origin = trial.origin(origin_mode)
    proxy = trial.proxy(origin)
    seconds = whole(trial.seconds + 2)
    arguments = [proxy.port, *direction, trial.connections, seconds]
    load = trial.load([str(program("bulk" if direction else "http_bulk")), *map(str, arguments)])
    window = trial.window(load, proxy, origin)
    load.wait(seconds + 10)
    if not window.bytes:
        raise BenchmarkError("no byte moved while the window was open")
    gigabytes = window.bytes / 1e9
    figures = {"gb_per_s": gigabytes / window.seconds}
    if proxy.programs:
        figures["cpu_s_per_gb"] = window.proxy_cpu_ns / 1e9 / gigabytes
        figures["cpu_share"] = window.proxy_cpu_ns / 1e9 / window.seconds
    return figures

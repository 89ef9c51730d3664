"""Small requests on keep-alive connections, made by wrk."""

import json

from benchmarks.errors import BenchmarkError
from benchmarks.measure.trial import Proxy, Trial
from benchmarks.paths import SOURCES
from benchmarks.processes import Program
from benchmarks.programs import tool

_REPORT = SOURCES / "load" / "report.lua"


def requests(trial: Trial) -> dict[str, float]:
    """Return CPU per request of the proxy (µs), requests per second, and the latencies that wrk saw (µs)."""
    origin = trial.origin("http")
    proxy = trial.proxy(origin)
    load = start_wrk(trial, proxy, trial.seconds + 2)
    window = trial.window(load, proxy, origin)
    report = finish_wrk(load, trial.seconds + 2)
    if not window.requests:
        raise BenchmarkError("the origin answered no request while the window was open")
    figures = {
        "requests_per_s": window.requests / window.seconds,
        "mean_us": report["mean_us"],
        "p50_us": report["p50_us"],
        "p99_us": report["p99_us"],
    }
    if proxy.programs:
        figures["cpu_us"] = window.proxy_cpu_ns / 1e3 / window.requests
        figures["cpu_share"] = window.proxy_cpu_ns / 1e9 / window.seconds
    return figures


def start_wrk(trial: Trial, proxy: Proxy, seconds: float) -> Program:
    """Start wrk with the trial's connections for ``seconds``, rounded up to whole ones."""
    url = f"http://127.0.0.1:{proxy.port}/"
    arguments = ["-t1", f"-c{trial.connections}", f"-d{whole(seconds)}s", "-s", str(_REPORT), url]
    return trial.load([tool("wrk", "wrk"), *arguments])


def finish_wrk(load: Program, seconds: float) -> dict[str, float]:
    """Wait for wrk's end; return its report. Raises BenchmarkError when a single request failed."""
    report = parse_wrk(load.wait(whole(seconds) + 10))
    if report["errors"]:
        raise BenchmarkError(f"wrk saw {report['errors']:.0f} failed connections or requests")
    return report


def parse_wrk(output: str) -> dict[str, float]:
    """Return the JSON line that ``load/report.lua`` adds to wrk's output."""
    lines = [line for line in output.splitlines() if line.startswith("{")]
    if not lines:
        raise BenchmarkError(f"wrk printed no report but: {output.strip()[-300:]}")
    return json.loads(lines[-1])


def whole(seconds: float) -> int:
    return int(-(-seconds // 1))

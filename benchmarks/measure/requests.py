"""Small requests on keep-alive connections, made by wrk."""

import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.errors import BenchmarkError
from benchmarks.measure.answers import check_answer, check_bytes
from benchmarks.measure.trial import Proxy, Trial
from benchmarks.paths import SOURCES
from benchmarks.peers import ACCESS_LOG
from benchmarks.processes import Program, wait_until
from benchmarks.programs import tool

_REPORT = SOURCES / "load" / "report.lua"
_LOG_SECONDS = 10

# As they reach a service behind a gateway: what a browser sends, who the user is, and what a mesh adds.
MESH_HEADERS = (
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0",
    "Accept: application/json, text/plain, */*",
    "Accept-Encoding: gzip, deflate, br",
    "Accept-Language: en-GB,en;q=0.9,de;q=0.8",
    f"Authorization: Bearer eyJhbGciOiJFUzI1NiJ9.{'eyJzdWIiOiJiZW5jaCJ9' * 8}.{'c2lnbmF0dXJl' * 7}",
    "Cookie: session=5f0c3a7e9b1d4c2f8e6a; theme=dark; consent=1",
    "X-Request-Id: 7b5d0e8c-3f5e-4a57-9b61-1f0a2c9d4e83",
    "X-Forwarded-For: 203.0.113.17",
    "X-Forwarded-Proto: https",
    "X-Envoy-Attempt-Count: 1",
    "Traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "X-Tenant: 4711",
)


def requests(trial: Trial) -> dict[str, float]:
    """Return CPU per request of the proxy (µs), requests per second, and the latencies that wrk saw (µs).

    Raises BenchmarkError when a single request failed or was not answered with what the origin answers.
    """
    figures, _, _ = _requests(trial, ())
    return figures


def mesh_requests(trial: Trial) -> dict[str, float]:
    """Return the same for requests with twelve header fields beside Host."""
    figures, _, _ = _requests(trial, MESH_HEADERS)
    return figures


def logged_requests(trial: Trial) -> dict[str, float]:
    """Return the same for a proxy that writes an access log; BenchmarkError when a request is not in it."""
    figures, proxy, answers = _requests(trial, ())
    check_log(proxy.directory / ACCESS_LOG, answers)
    return figures


def _requests(trial: Trial, headers: Sequence[str]) -> tuple[dict[str, float], Proxy, int]:
    """Return the figures, the proxy, and how many answers the load counted."""
    origin = trial.origin("http")
    proxy = trial.proxy(origin)
    answer_bytes = check_answer(proxy.port)
    load = start_wrk(trial, proxy, trial.seconds + 2, headers=headers)
    window = trial.window(load, proxy, origin)
    report = finish_wrk(load, trial.seconds + 2)
    check_bytes(report["bytes"], report["requests"], answer_bytes, trial.connections)
    check_answer(proxy.port)
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
    return figures, proxy, int(report["requests"])


def check_log(path: Path, answers: int, seconds: float = _LOG_SECONDS) -> None:
    """Raise BenchmarkError unless the access log has a line of JSON for every answer, some seconds later at most."""

    def whole() -> bool:
        return path.exists() and path.read_bytes().count(b"\n") >= answers

    wait_until(whole, seconds, f"a line in the access log for each of {answers} requests")
    with path.open("rb") as lines:
        first = next(lines)
    try:
        status = json.loads(first)["response_code"]
    except (ValueError, LookupError, TypeError) as error:
        raise BenchmarkError(f"not a line of JSON with a response_code: {first[:300]!r}") from error
    if status != 200:
        raise BenchmarkError(f"the access log tells of status {status}")


def start_wrk(trial: Trial, proxy: Proxy, seconds: float, *, script: Path = _REPORT, headers: Sequence[str] = (),
              arguments: Sequence[str] = ()) -> Program:
    """Start wrk with the trial's connections for ``seconds``, rounded up to whole ones.

    ``script`` must print the report as ``load/report.lua`` does, and gets ``arguments``.
    """
    url = f"http://127.0.0.1:{proxy.port}/"
    fields = [word for header in headers for word in ("-H", header)]
    options = ["-t1", f"-c{trial.connections}", f"-d{whole(seconds)}s", "-s", str(script), *fields]
    return trial.load([tool("wrk", "wrk"), *options, url, "--", *arguments])


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

"""New connections, one for each request, plain or with mutual TLS: loads of our own."""

import json

from benchmarks.errors import BenchmarkError
from benchmarks.measure.requests import whole
from benchmarks.measure.trial import Trial
from benchmarks.programs import program


def connect(trial: Trial) -> dict[str, float]:
    """Return CPU of the proxy per connection (µs), connections per second, and a connection's life (µs).

    Where the proxy speaks HTTP, each connection is for one request, which an upstream connection from the pool serves.
    """
    figures, _ = _connections(trial, "connect")
    return figures


def full_handshake(trial: Trial) -> dict[str, float]:
    """Return the same for connections that each begin with a full handshake of mutual TLS.

    And how many session tickets came with each: none are wanted, and a proxy that cannot leave them out pays for it.
    """
    figures, report = _connections(trial, "tls_connect", "full")
    return {**figures, "tickets": report["tickets"] / report["connections"]}


def resumed_handshake(trial: Trial) -> dict[str, float]:
    """Return the same for connections that resume the session of an earlier one, and how many did.

    Raises BenchmarkError when more than each slot's first connection were not resumed.
    """
    figures, report = _connections(trial, "tls_connect", "resumed")
    if report["resumed"] < report["connections"] - trial.connections:
        raise BenchmarkError(f"only {report['resumed']} of {report['connections']} connections were resumed")
    return {**figures, "resumed": report["resumed"], "resumed_share": report["resumed"] / report["connections"]}


def _connections(trial: Trial, load_name: str, *kind: str) -> tuple[dict[str, float], dict[str, float]]:
    """Return the figures, and what the load reported about its whole run."""
    origin = trial.origin("http" if trial.mode.http else "close")
    proxy = trial.proxy(origin)
    seconds = whole(trial.seconds + 2)
    identity = trial.identity() if kind else []
    arguments = [proxy.port, *kind, trial.connections, seconds, *identity]
    load = trial.load([str(program(load_name)), *map(str, arguments)])
    window = trial.window(load, proxy, origin)
    report = json.loads(load.wait(seconds + 10))
    if report.get("cut"):
        raise BenchmarkError(f"{report['cut']} streams ended without close_notify")
    served = window.requests if trial.mode.http else window.accepted
    if not served:
        raise BenchmarkError("the origin served no connection while the window was open")
    figures = {
        "connections_per_s": served / window.seconds,
        "p50_us": report["p50_us"],
        "p99_us": report["p99_us"],
    }
    if proxy.programs:
        figures["cpu_us"] = window.proxy_cpu_ns / 1e3 / served
        figures["cpu_share"] = window.proxy_cpu_ns / 1e9 / window.seconds
    return figures, report

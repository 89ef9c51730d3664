"""What one proxy costs over another: both at once on one processor, each with a load and an origin."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.errors import BenchmarkError
from benchmarks.measure.trial import Proxy, Trial, Window, watch
from benchmarks.peers import Peer
from benchmarks.processes import Program

_WINDOW_FACTOR = 5  # a bar of a few per cent needs longer windows than the others


@dataclass(frozen=True)
class Work:
    """What both proxies do."""

    origin_mode: str
    start: Callable[[Trial, Proxy, float], Program]  # starts a load of so many seconds
    finish: Callable[[Program, float], object]  # waits for its end; raises BenchmarkError when something failed
    served: Callable[[Window], int]
    every_address: bool = False  # whether the origins listen on every loopback address


def cost_ratio(trial: Trial, work: Work, judged: Peer, base: Peer) -> dict[str, float]:
    """Return the ratio of their CPU, and for both the CPU in µs of one piece of work and the pieces per second.

    Both are under load in the same window: what slows the machine slows both, to the nearest time slice.
    """
    seconds = trial.seconds * _WINDOW_FACTOR
    watched = []
    for peer in (judged, base):
        origin = trial.origin(work.origin_mode, every_address=work.every_address)
        watched.append((trial.proxy(origin, peer), origin))
    loads = [work.start(trial, proxy, seconds + 2) for proxy, _ in watched]
    windows = watch(watched, 1.0, seconds)
    for load in loads:
        work.finish(load, seconds + 2)
    served = [work.served(window) for window in windows]
    if not all(served):
        raise BenchmarkError("an origin served nobody while the window was open")
    cpu_us = [window.proxy_cpu_ns / 1e3 / count for window, count in zip(windows, served, strict=True)]
    return {
        "ratio": cpu_us[0] / cpu_us[1],
        "cpu_us": cpu_us[0],
        "base_cpu_us": cpu_us[1],
        "per_s": served[0] / windows[0].seconds,
        "base_per_s": served[1] / windows[1].seconds,
    }

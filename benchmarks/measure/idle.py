"""What a proxy takes while it has nothing to do: memory at start, memory and time for idle connections."""

import time

from benchmarks.errors import BenchmarkError
from benchmarks.measure.trial import Proxy, Trial
from benchmarks.origin import Origin
from benchmarks.processes import wait_until
from benchmarks.programs import program
from benchmarks.usage import memory_kib

_WARM_CONNECTIONS = 200
_SETTLE_SECONDS = 1.0
_OPEN_SECONDS = 40  # two thousand handshakes with a slow libssl take ten
_IDLE_CPU_FACTOR = 5  # its window is 10 s where the others' is 2 s: the figure is near zero
_IDLE_CPU_WARM_UP = 6.0  # by then the timers of connecting (5 s) have expired, which costs HAProxy once


def resident(trial: Trial) -> dict[str, float]:
    """Return the proxy's memory in MiB a second after its start, without a connection."""
    proxy = trial.proxy(trial.origin("http"))
    time.sleep(_SETTLE_SECONDS)
    memory = memory_kib(proxy.pids())
    return {"rss_mib": memory["rss"] / 1024, "pss_mib": memory["pss"] / 1024}


def idle_memory(trial: Trial) -> dict[str, float]:
    """Return by how many KiB the proxy grows for each idle connection: where bytes are relayed, for both its sides.

    A few connections come first, so that what is allocated once for all is not charged to the idle ones.
    """
    origin = trial.origin("http")
    proxy = trial.proxy(origin)
    _hold(trial, proxy, origin, _WARM_CONNECTIONS)
    before = memory_kib(proxy.pids())
    _hold(trial, proxy, origin, trial.connections)
    after = memory_kib(proxy.pids())
    return {
        "kib_per_connection": (after["pss"] - before["pss"]) / trial.connections,
        "rss_kib_per_connection": (after["rss"] - before["rss"]) / trial.connections,
    }


def idle_cpu(trial: Trial) -> dict[str, float]:
    """Return the processor time in ms per second that the proxy takes while its connections are idle."""
    origin = trial.origin("http")
    proxy = trial.proxy(origin)
    _hold(trial, proxy, origin, trial.connections)
    window = trial.window(None, proxy, origin, _IDLE_CPU_WARM_UP, trial.seconds * _IDLE_CPU_FACTOR)
    if window.requests or window.accepted:
        raise BenchmarkError("requests arrived at the origin although every connection was to be idle")
    return {"cpu_ms_per_s": window.proxy_cpu_ns / 1e6 / window.seconds}


def _hold(trial: Trial, proxy: Proxy, origin: Origin, connections: int) -> None:
    """Open idle connections that stay until the trial's end; return when all have reached the origin."""
    expected = origin.counts().open + connections
    life = int(trial.seconds * _IDLE_CPU_FACTOR) + 60
    name, identity = ("tls_idle", trial.identity()) if trial.credentials else ("idle", [])
    load = trial.load([str(program(name)), str(proxy.port), str(connections), str(life), *identity])

    def ready() -> bool:
        load.check()
        return "ready" in load.output()

    wait_until(ready, _OPEN_SECONDS, f"{connections} idle connections")
    # A proxy for HTTP has fewer upstream connections than downstream: it keeps those that it needs.
    if not trial.mode.http and origin.counts().open != expected:
        raise BenchmarkError(f"the origin holds {origin.counts().open} connections instead of {expected}")
    time.sleep(_SETTLE_SECONDS)

"""All at once, under load, for as long as one likes: `python -m tests.soak.chaos`, or `make soak`.

Origins are killed, ended, paused, reset, cut short and half-closed, the proxy is reloaded and restarted. In the end
nothing may be left of it: no wrong byte, no descriptor, no memory, no POST that arrived twice, no failed request whose
reason the access log does not tell. The exit status is 1 if there is.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.network import enter_own_network
from benchmarks.processes import wait_until
from benchmarks.survival.chaos import Chaos, Life
from benchmarks.survival.field import Field, field
from benchmarks.survival.figure import Figure, Result, common
from benchmarks.survival.load import Plan
from benchmarks.survival.report import verdicts
from benchmarks.survival.settings import chaotic
from benchmarks.survival.sidecar import Sidecar, descriptors

GROWTH_BYTES = 8 << 20
"""Of resident memory, from the second quarter of the last process's life to its last: what a heap may shift about."""
QUIET_SECONDS = 60.0
POOLED_PIPES = 2 * 2 * 32
"""Descriptors of pipes that a process may keep to splice by: two workers, two descriptors each, 32 pipes in a pool."""
_ORIGINS = 10
_SIZES = (0, 100, 100, 100, 2_000, 2_000, 10_000, 70_000, 300_000)


def main() -> int:
    """Run as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--rate", type=float, default=600, help="requests per second")
    parser.add_argument("--restarts", type=int, help="hot restarts; default: one for each 40 seconds, but two")
    parser.add_argument("--seed", type=int, help="default: another each time")
    parser.add_argument("--report", type=Path, help="a file that gets the figures as JSON")
    parser.add_argument("--keep", type=Path, help="an empty folder where all logs stay; default: they do not")
    arguments = parser.parse_args()
    seed = random.SystemRandom().randrange(1 << 31) if arguments.seed is None else arguments.seed
    print(f"seed {seed}; {enter_own_network()}", flush=True)
    restarts = arguments.restarts or max(2, int(arguments.seconds / 40))
    result, done = soak(arguments.seconds, arguments.rate, restarts, seed, arguments.keep)
    print(f"done: {', '.join(f'{count} × {what}' for what, count in sorted(done.items()))}")
    print(verdicts(result.figures, result.account))
    if arguments.report:
        arguments.report.write_text(json.dumps(report(seed, result, done), indent=2))
    return 0 if result.passed else 1


def report(seed: int, result: Result, done: Counter[str]) -> dict[str, Any]:
    """All that was found, for who does not read tables."""
    return {
        "seed": seed,
        "passed": result.passed,
        "figures": [asdict(each) | {"passed": each.passed} for each in result.figures],
        "causes": result.account.causes,
        "examples": result.account.examples(),
        "done": done,
    }


def soak(
    seconds: float, rate: float, restarts: int, seed: int, keep: Path | None = None
) -> tuple[Result, Counter[str]]:
    """What came of it, and what was done."""
    with field(_ORIGINS, chaotic, keep) as found:
        found.begin_load(
            Plan(
                seed=seed,
                rate=rate,
                sizes=_SIZES,
                requests_per_connection=50,
                leaves=0.01,
                half_closes=0.02,
                slow=0.02,
            )
        )
        chaos = Chaos(found, seed, seconds, restarts)
        chaos.run()
        chaos.heal()
        account = found.end_load()
        left = left_over(found)
        figures = (
            *common(account),
            Figure("requests failed, %", 100 * account.failed / max(1, account.requests), 50, 2),
            Figure("descriptors left over", left.total(), 0),
            Figure("MiB grown", grown(chaos.lives[-1]) / (1 << 20), GROWTH_BYTES >> 20, 1),
            Figure("access records dropped", dropped(found.proxy), 0),
            Figure("errors in the proxy's log", len(errors(found.proxy)), 0),
        )
        for what, count in left.items():
            print(f"left over: {count} × {what}")
        for line in errors(found.proxy)[:5]:
            print(f"error: {line}")
    return Result(figures, account), chaos.done


def left_over(found: Field) -> Counter[str]:
    """Descriptors that the process in charge and the first one have, once all is quiet, beyond those of a fresh one."""
    proxy = found.proxy
    proxy.reload(chaotic([each.address for each in found.origins]))
    begun = quiet(proxy)
    proxy.restarted(proxy.begin_restart())
    left = begun - quiet(proxy)
    left["pipe"] -= POOLED_PIPES
    return +left


def quiet(proxy: Sidecar) -> Counter[str]:
    """What the proxy's processes have open when nobody uses it: the least of several looks, since it checks health."""
    wait_until(lambda: set(proxy.processes) == {proxy.pid, proxy.in_charge}, QUIET_SECONDS, "the end of every drain")
    wait_until(lambda: not proxy.stats("upstream_cx_active").total(), QUIET_SECONDS, "the end of idle connections")
    looks = []
    for _ in range(20):
        looks.append(descriptors(proxy.pid) + descriptors(proxy.in_charge))
        time.sleep(0.1)
    return min(looks, key=Counter.total)


def grown(life: Life) -> float:
    """Bytes by which a process has grown, from the second quarter of its life to the last; 0 if it has shrunk."""
    quarter = len(life.resident) // 4
    if not quarter:
        return float("inf")
    then, now = life.resident[quarter : 2 * quarter], life.resident[-quarter:]
    return max(0.0, statistics.median(now) - statistics.median(then))


def dropped(proxy: Sidecar) -> float:
    """Records that did not come into the access log of the process in charge."""
    return proxy.stats("access_.*_dropped").total()


def errors(proxy: Sidecar) -> list[str]:
    """Lines of the proxy's log that tell of a fault of its own."""
    return [line for line in proxy.output().splitlines() if not line.startswith("{") or '"level":"error"' in line]


if __name__ == "__main__":
    sys.exit(main())

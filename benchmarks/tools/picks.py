"""Times one load balancer's picks alone, without a connection: ``python picks.py BALANCER``.

Prints one JSON object: nanoseconds per pick by the number of endpoints. The picks run in one compiled loop without
the GIL, on a snapshot as a proxy with one worker has it.
"""

import json
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # a checkout that was built in place

from mesh_core._testing.picks import pick_many
from mesh_core.config import load_builtins
from mesh_core.control.compiler import Compiler
from mesh_core.control.endpoints import configured_endpoints
from mesh_core.snapshot.snapshot import Snapshot
from mesh_core.telemetry.stats import StatsRegistry

SIZES = (10, 100, 1_000, 10_000)
PICKS, WARM_UP, REPETITIONS = 200_000, 20_000, 7


def snapshot(load_balancer: str, endpoints: int) -> Snapshot:
    """Compile a configuration with one cluster of so many endpoints."""
    addresses = [f"127.1.{index // 250}.{index % 250 + 1}:8080" for index in range(endpoints)]
    cluster = {"name": "app", "load_balancer": load_balancer, "endpoints": addresses}
    config = load_builtins({"clusters": [cluster]})
    return Compiler(1, StatsRegistry(1)).compile(config, {}, configured_endpoints(config))


def nanoseconds(table: Snapshot) -> float:
    """Return what one pick takes of this thread's processor time: the median of some repetitions."""
    pick_many(table, 0, 0, WARM_UP)
    found = []
    for _ in range(REPETITIONS):
        begun = time.thread_time_ns()
        pick_many(table, 0, 0, PICKS)
        found.append((time.thread_time_ns() - begun) / PICKS)
    return statistics.median(found)


if __name__ == "__main__":
    print(json.dumps({f"ns_{size}": nanoseconds(snapshot(sys.argv[1], size)) for size in SIZES}))

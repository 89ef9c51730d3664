"""Hot restarts and reloads under load, many of them: `python -m tests.soak.restarts`, or `make soak-restarts`.

Prints what it did as a JSON object; the exit status is 1 if a connection was refused, cut or answered wrongly.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.support.process import ProxyProcess, running, write_config
from tests.support.restart_load import RestartLoad
from tests.support.restarts import restartable, restarted


def main() -> int:
    """Run as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--restarts", type=int, default=100)
    parser.add_argument("--reloads", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=8, help="of each kind, for each of two listeners")
    parser.add_argument("--limit", type=float, default=1800, help="seconds after which no more are begun")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hopmesh-soak-") as folder, RestartLoad() as load:
        done = soak(Path(folder), load, arguments)
    report = {
        **done,
        "connections": load.connections,
        "requests": load.requests,
        "failures": dict(load.failures),
    }
    print(json.dumps(report, indent=2))
    whole = (done["restarts"], done["reloads"]) == (arguments.restarts, arguments.reloads)
    return 0 if whole and not load.failures else 1


def soak(folder: Path, load: RestartLoad, arguments: argparse.Namespace) -> dict[str, Any]:
    """What was done, and what it took."""
    parts = restartable(folder, load.origin, workers=2, drain_timeout_ms=20_000)
    parts["listeners"].append({"name": "unix", "address": f"unix:{folder}/in.sock", "cluster": "app"})
    restarts = reloads = 0
    begun = time.monotonic()
    with running(folder, parts) as proxy:
        for address in (proxy.address(), proxy.address("unix")):
            load.begin(address, arguments.clients, arguments.clients)
        while restarts < arguments.restarts and time.monotonic() < begun + arguments.limit:
            due = arguments.reloads * (restarts + 1) // arguments.restarts
            for number in range(reloads, due):
                # Another listener comes and goes, so that every reload changes something.
                extra = [{"name": "extra", "address": "127.0.0.1:0", "cluster": "app"}] * (number % 2)
                reload(proxy, parts | {"listeners": parts["listeners"] + extra})
            reloads = due
            parts["workers"] = 1 + restarts % 4
            write_config(proxy.config, parts)
            pid = restarted(folder)
            restarts += 1
            forget(proxy)
        descriptors = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        load.end()
    return {
        "restarts": restarts,
        "reloads": reloads,
        "seconds": round(time.monotonic() - begun, 1),
        "descriptors_of_the_last": descriptors,
        "loadavg": os.getloadavg()[0],
    }


def reload(proxy: ProxyProcess, parts: dict[str, Any]) -> None:
    """One reload, seen through."""
    proxy.reload(parts)
    forget(proxy)


def forget(proxy: ProxyProcess) -> None:
    """Its log so far, which the next wait would read again."""
    del proxy.lines[:]


if __name__ == "__main__":
    raise SystemExit(main())

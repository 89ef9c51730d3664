"""The data path does not need the GIL: traffic flows while a Python thread holds it."""

import ctypes
import struct
from pathlib import Path

from tests.support.child import Child
from tests.support.configs import cluster, config, listener
from tests.support.running_proxy import RunningProxy
from tests.support.waiting import wait_until

HOLD_US = 300_000
HOLDS = 20
ENOUGH = 100
"""Round trips within one hold. A worker that needed the GIL for each event would not complete a single one."""


def test_round_trips_while_the_gil_is_held(tmp_path: Path, no_leaks: None) -> None:
    """In the threaded mounting, connections come and go during a hold, their ends in another process."""
    counter = tmp_path / "count"
    counter.write_bytes(bytes(8))
    # Called through PyDLL, a function keeps the GIL until it returns.
    hold_the_gil = ctypes.PyDLL(None).usleep
    with Child("tests.support.child_ping_pong", str(counter)) as child:
        settings = config([listener()], [cluster([child.hear()])], tmp_path, access_log=None)
        proxy = RunningProxy(settings, "threaded")
        try:
            child.say(proxy.address())
            wait_until(lambda: count(counter), "traffic")
            best = 0
            for _ in range(HOLDS):
                before = count(counter)
                hold_the_gil(HOLD_US)
                best = max(best, count(counter) - before)
                if best >= ENOUGH:
                    break
            assert best >= ENOUGH, f"{best} round trips in the best of {HOLDS} holds"
            assert child.ask("end") == "ended"
        finally:
            proxy.close()


def count(counter: Path) -> int:
    """Round trips so far."""
    return struct.unpack("=Q", counter.read_bytes())[0]

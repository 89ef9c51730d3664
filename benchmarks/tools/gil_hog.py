"""Runs ``hopmesh`` in a process where a Python thread holds the GIL for 100 ms at a time, again and again.

    python gil_hog.py SWITCH proxy --config FILE

It does so only while the file SWITCH exists, so that one process can be measured with and without. Sleeping
with the GIL held takes no processor time: what changes is the GIL and nothing else. To ``SWITCH.held`` goes
how often it was held and the longest stall, in milliseconds, that another Python thread saw: the proof that
the GIL was really gone.
"""

import ctypes
import sys
import threading
import time
from pathlib import Path

HELD_US, PAUSE_SECONDS, POLL_SECONDS = 100_000, 0.005, 0.02


def hog(switch: Path) -> None:
    """Hold the GIL while ``switch`` exists; never returns."""
    holding = ctypes.PyDLL(None).usleep  # PyDLL, unlike CDLL, does not release the GIL around the call
    stalls = [0.0]
    threading.Thread(target=witness, args=(switch, stalls), daemon=True).start()
    held = 0
    while True:
        if not switch.exists():
            time.sleep(POLL_SECONDS)
            continue
        holding(HELD_US)
        held += 1
        time.sleep(PAUSE_SECONDS)
        if held % 10 == 0:
            switch.with_suffix(".held").write_text(f"{held} {stalls[0] * 1000:.1f}\n")


def witness(switch: Path, stalls: list[float]) -> None:
    """Keep in ``stalls[0]`` the longest time, in seconds, of a 1 ms sleep while ``switch`` existed."""
    while True:
        if not switch.exists():
            time.sleep(POLL_SECONDS)
            continue
        begun = time.monotonic()
        time.sleep(0.001)
        stalls[0] = max(stalls[0], time.monotonic() - begun)


if __name__ == "__main__":
    threading.Thread(target=hog, args=(Path(sys.argv.pop(1)),), daemon=True).start()
    from mesh_core.cli import main

    main()

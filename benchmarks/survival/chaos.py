"""Everything that can befall origins and proxy, at random: the same seed gives the same plan."""

import heapq
import itertools
import random
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.survival.field import Field
from benchmarks.survival.fleet import Member
from benchmarks.survival.settings import chaotic
from benchmarks.survival.sidecar import resident_bytes

_TICK_SECONDS = 0.02
_SAMPLE_SECONDS = 0.5
_WELL = {"status": 200, "delay_s": 0.0, "idle_s": None, "resets": 0, "cuts": 0, "half_closes": 0}


@dataclass
class Life:
    """A process that was in charge, and its resident memory in bytes as time went by."""

    pid: int
    resident: list[int]


class Chaos:
    """Hurts what is in a field, step by step, until its time is over; then `heal` makes all well again."""

    def __init__(self, field: Field, seed: int, seconds: float, restarts: int):
        """``restarts``: hot restarts of the proxy, all in the first half, so that the last process lives long."""
        self._field, self._random, self._seconds = field, random.Random(seed), seconds
        self._order = itertools.count()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self.done: Counter[str] = Counter()
        self.lives = [Life(field.proxy.in_charge, [])]
        self._restarting: subprocess.Popen[str] | None = None
        self._begun = time.monotonic()
        for name, (mean_s, action) in self._actions().items():
            self._repeat(name, mean_s, action)
        for number in range(restarts):
            self._after(seconds / 2 * (number + self._random.uniform(0.3, 0.7)) / restarts, self._restart)
        self._after(0.0, self._sample)

    def _actions(self) -> dict[str, tuple[float, Callable[[], None]]]:
        """What is done, and how many seconds pass between two times on average."""
        return {
            "killed": (4.0, self._kill),
            "ended": (6.0, self._end),
            "paused": (4.0, self._pause),
            "reset": (2.0, lambda: self._anyone().order(reset_all=True)),
            "resets": (3.0, lambda: self._anyone().order(resets=self._random.randint(1, 20))),
            "cuts": (3.0, lambda: self._anyone().order(cuts=self._random.randint(1, 10))),
            "half-closes": (3.0, lambda: self._anyone().order(half_closes=self._random.randint(1, 20))),
            "idle closed": (1.0, lambda: self._anyone().order(close_idle=True)),
            "idle short": (5.0, lambda: self._for_a_while({"idle_s": [0.0, 0.05]})),
            "slow": (5.0, lambda: self._for_a_while({"delay_s": self._random.uniform(0.01, 0.4)})),
            "failing": (6.0, lambda: self._for_a_while({"status": 503})),
            "reloaded": (5.0, self._reload),
        }

    def run(self) -> None:
        """Do all of it; returns when the time is over."""
        end = self._begun + self._seconds
        while time.monotonic() < end:
            while self._due and self._due[0][0] <= time.monotonic():
                heapq.heappop(self._due)[2]()
            self._field.check()
            time.sleep(_TICK_SECONDS)

    def heal(self) -> None:
        """Bring every origin back, and let a restart that is under way end."""
        if self._restarting is not None:
            self._restarted()
        for each in self._field.origins:
            each.go_on()
            each.start()
        for each in self._field.origins:
            each.until_listening()
            each.order(**_WELL)

    def _after(self, seconds: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._due, (time.monotonic() + seconds, next(self._order), action))

    def _repeat(self, name: str, mean_s: float, action: Callable[[], None]) -> None:
        def once() -> None:
            action()
            self.done[name] += 1
            self._repeat(name, mean_s, action)

        self._after(self._random.expovariate(1 / mean_s), once)

    # --- origins ---

    def _anyone(self) -> Member:
        return self._random.choice(self._field.origins)

    def _kill(self) -> None:
        victim = self._anyone()
        victim.kill()
        self._after(self._random.uniform(0.0, 3.0), victim.start)

    def _end(self) -> None:
        victim = self._anyone()
        victim.end()
        self._start_after_end(victim)

    def _start_after_end(self, victim: Member) -> None:
        # Paused, it does not end before it goes on.
        if victim.running:
            self._after(0.1, lambda: self._start_after_end(victim))
        else:
            victim.start()

    def _pause(self) -> None:
        victim = self._anyone()
        victim.pause()
        self._after(self._random.uniform(0.05, 2.5), victim.go_on)

    def _for_a_while(self, order: dict[str, object]) -> None:
        victim = self._anyone()
        victim.order(**order)
        well = {name: _WELL[name] for name in order}
        self._after(self._random.uniform(0.2, 3.0), lambda: victim.order(**well))

    # --- the proxy ---

    def _reload(self) -> None:
        addresses = [each.address for each in self._field.origins]
        self._field.proxy.reload(chaotic(addresses, self._random))

    def _restart(self) -> None:
        if self._restarting is not None:
            self._after(1.0, self._restart)
            return
        self._restarting = self._field.proxy.begin_restart()
        self._after(0.1, self._look_at_restart)

    def _look_at_restart(self) -> None:
        if self._restarting is not None and self._restarting.poll() is None:
            self._after(0.1, self._look_at_restart)
        else:
            self._restarted()

    def _restarted(self) -> None:
        if self._restarting is not None:
            self.lives.append(Life(self._field.proxy.restarted(self._restarting), []))
            self._restarting = None
            self.done["restarted"] += 1

    def _sample(self) -> None:
        life = self.lives[-1]
        life.resident.append(resident_bytes(life.pid))
        self._after(_SAMPLE_SECONDS, self._sample)

"""Where a scenario takes place: a fleet of origins, the proxy, and the load, all stopped when it is over."""

import contextlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.errors import BenchmarkError
from benchmarks.paths import ROOT
from benchmarks.processes import Program
from benchmarks.survival.account import Account, account
from benchmarks.survival.fleet import Member, fleet
from benchmarks.survival.load import Plan
from benchmarks.survival.sidecar import Settings, Sidecar

_LOAD_END_SECONDS = 60.0
_LOG_SECONDS = 0.5  # in which the proxy writes what it has to say of the last request


class Field:
    """What a scenario works with."""

    def __init__(self, directory: Path, origins: list[Member], proxy: Sidecar, cpus: frozenset[int]):
        self.origins, self.proxy = origins, proxy
        self._directory, self._cpus = directory, cpus
        self._stack = contextlib.ExitStack()
        self._load: Program | None = None
        self._outcomes = directory / "outcomes"

    def begin_load(self, plan: Plan) -> None:
        """Send requests until `end_load`."""
        arguments = [str(plan.write(self._directory / "plan.json")), str(self.proxy.port), str(self._outcomes)]
        self._load = self._stack.enter_context(
            Program([sys.executable, "-m", "benchmarks.survival.load", *arguments], cpus=self._cpus,
                    log=self._directory / "load.log", env={"PYTHONPATH": str(ROOT)}))

    def end_load(self) -> Account:
        """Wait for the last answers; what became of every request."""
        assert self._load is not None
        self._load.check()
        self._load.signal(signal.SIGTERM)
        self._load.wait(_LOAD_END_SECONDS)
        time.sleep(_LOG_SECONDS)
        self.proxy.check()
        complaints = self._load.output() + "".join(each.complaints() for each in self.origins)
        if complaints:
            raise BenchmarkError(f"the load or an origin is faulty: {complaints[-2000:]}")
        return account(self._outcomes, [each.journal for each in self.origins], self.proxy.access_log)

    def wait(self, seconds: float) -> None:
        """Let the load go on for so long; raises BenchmarkError when the proxy or the load is gone."""
        time.sleep(seconds)
        self.check()

    def check(self) -> None:
        """Raise BenchmarkError when the proxy or the load is gone."""
        self.proxy.check()
        if self._load is not None:
            self._load.check()

    def close(self) -> None:
        self._stack.close()


@contextlib.contextmanager
def field(origins: int, settings: Callable[[Sequence[str]], Settings], keep: Path | None = None) -> Iterator[Field]:
    """Give a field with so many origins; ``settings`` makes the proxy's of their addresses.

    Logs, journals and outcomes go to ``keep`` and stay there, or into a directory that is removed.
    """
    cpus = frozenset(os.sched_getaffinity(0))
    with contextlib.ExitStack() as stack:
        directory = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hopmesh-survival-")))
        directory.mkdir(parents=True, exist_ok=True)
        members = stack.enter_context(fleet(origins, directory, cpus))
        proxy = stack.enter_context(Sidecar(settings([each.address for each in members]), directory, cpus))
        found = Field(directory, members, proxy, cpus)
        stack.callback(found.close)
        yield found

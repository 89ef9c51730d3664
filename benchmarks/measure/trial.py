"""One measurement of one proxy: its directory, its processes, and their certain end."""

import contextlib
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cpus import Cpus
from benchmarks.errors import BenchmarkError
from benchmarks.network import free_port
from benchmarks.origin import Counts, Origin
from benchmarks.peers.base import Mode, Peer, Plan
from benchmarks.processes import Program, family, wait_until
from benchmarks.usage import cpu_ns

_START_SECONDS = 20.0


@dataclass
class Proxy:
    """A running proxy: where the load connects, and the programs that are charged to it (none for direct)."""

    port: int
    programs: list[Program]

    def pids(self) -> list[int]:
        for program in self.programs:
            program.check()
        return [pid for program in self.programs for pid in family(program.pid)]


@dataclass(frozen=True)
class Window:
    """What happened between two moments of a running load."""

    seconds: float
    proxy_cpu_ns: int
    requests: int
    accepted: int
    bytes: int


class Trial:
    """Everything that one measurement starts. ``seconds`` is the length of its window."""

    def __init__(self, peer: Peer, mode: Mode, cpus: Cpus, *, seconds: float, connections: int,
                 stack: contextlib.ExitStack, directory: Path):
        self.peer, self.mode, self.cpus = peer, mode, cpus
        self.seconds, self.connections = seconds, connections
        self.directory = directory
        self._stack = stack

    def origin(self, mode: str) -> Origin:
        return self._stack.enter_context(Origin(mode, self.cpus.rest, self.directory))

    def proxy(self, origin: Origin, peer: Peer | None = None) -> Proxy:
        """Start the trial's proxy (or ``peer``) in front of ``origin``; return when it accepts connections.

        Raises BenchmarkError when it ends early or does not listen in time.
        """
        peer = peer or self.peer
        plan = Plan(self.mode, free_port(), origin.port, self.directory)
        programs = []
        for index, launch in enumerate(peer.launches(plan)):
            for name, text in launch.files.items():
                (self.directory / name).write_text(text)
            log = self.directory / f"{peer.name}-{index}.log"
            programs.append(self._stack.enter_context(
                Program(launch.argv, cpus=self.cpus.proxy, log=log, env=launch.env, cwd=self.directory)))
        if not programs:
            return Proxy(origin.port, [])

        def listening() -> bool:
            programs[-1].check()
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", plan.listen_port), 1):
                return True
            return False

        wait_until(listening, _START_SECONDS, f"the start of {peer.name}")
        _forget_probe(origin, peer.name)
        return Proxy(plan.listen_port, programs)

    def load(self, argv: list[str]) -> Program:
        return self._stack.enter_context(
            Program(argv, cpus=self.cpus.rest, log=self.directory / f"{Path(argv[0]).name}.log"))

    def window(self, load: Program | None, proxy: Proxy, origin: Origin, warm_up: float = 1.0,
               seconds: float | None = None) -> Window:
        """Let a load run for ``warm_up`` seconds, then watch proxy and origin for the trial's seconds."""
        time.sleep(warm_up)
        pids = proxy.pids()
        first = _reading(pids, origin)
        time.sleep(seconds or self.seconds)
        last = _reading(pids, origin)
        proxy.pids()  # raises if it has ended meanwhile
        if load:
            load.check()
        return Window(
            last[0] - first[0], last[1] - first[1], last[2].requests - first[2].requests,
            last[2].accepted - first[2].accepted, last[2].bytes - first[2].bytes)


def _forget_probe(origin: Origin, name: str) -> None:
    """Wait until the connection that found the proxy listening is gone, so that nothing later counts it."""
    with contextlib.suppress(BenchmarkError):
        # A proxy may see that the load is gone before it dials the origin; then there is nothing to wait for.
        wait_until(lambda: origin.counts().accepted > 0, 0.5, "the probe's arrival")
    wait_until(lambda: origin.counts().open == 0, 5, f"the end of the first connection through {name}")


def _reading(pids: list[int], origin: Origin) -> tuple[float, int, Counts]:
    return time.monotonic(), cpu_ns(pids), origin.counts()


@contextlib.contextmanager
def trial(peer: Peer, mode: Mode, cpus: Cpus, *, seconds: float, connections: int) -> Iterator[Trial]:
    """Give a trial; when it ends, however it ends, every process it started is stopped."""
    with tempfile.TemporaryDirectory(prefix="hopmesh-bench-") as directory, contextlib.ExitStack() as stack:
        yield Trial(peer, mode, cpus, seconds=seconds, connections=connections, stack=stack,
                    directory=Path(directory))


Measure = Callable[[Trial], dict[str, float]]

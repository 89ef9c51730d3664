"""One measurement of one proxy: its directory, its processes, and their certain end."""

import contextlib
import socket
import ssl
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.certificates import NAME, Credentials, issue
from benchmarks.cpus import Cpus
from benchmarks.errors import BenchmarkError
from benchmarks.network import free_port
from benchmarks.origin import Counts, Origin
from benchmarks.peers.base import Launch, Mode, Peer, Plan
from benchmarks.processes import Program, family, wait_until
from benchmarks.usage import cpu_ns

_START_SECONDS = 20.0
_HANDSHAKE_SECONDS = 5.0


@dataclass
class Proxy:
    """A running proxy: where the load connects, and the programs that are charged to it (none for direct)."""

    port: int
    programs: list[Program]
    directory: Path  # where its files are

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
        self.credentials = issue(directory) if mode.encrypted else None
        self._stack = stack

    def origin(self, mode: str, *, every_address: bool = False) -> Origin:
        """Start an origin on 127.0.0.1, or on every loopback address."""
        return self._stack.enter_context(
            Origin(mode, self.cpus.rest, self._subdirectory("origin"), every_address=every_address))

    def proxy(self, origin: Origin, peer: Peer | None = None) -> Proxy:
        """Start the trial's proxy (or ``peer``) in front of ``origin``; return when it accepts connections.

        Raises BenchmarkError when it ends early or does not listen in time.
        """
        peer = peer or self.peer
        plan = Plan(self.mode, free_port(), origin.port, self._subdirectory("proxy"), free_port(), self.credentials)
        encrypted = {hop.listen_port for hop in plan.hops() if hop.tls_in}
        programs = [self._start(launch, origin, peer.name, plan.directory, tls=launch.port in encrypted)
                    for launch in peer.launches(plan)]
        return Proxy(plan.listen_port if programs else origin.port, programs, plan.directory)

    def _start(self, launch: Launch, origin: Origin, name: str, directory: Path, *, tls: bool) -> Program:
        for file, text in launch.files.items():
            (directory / file).write_text(text)
        program = self._stack.enter_context(Program(
            launch.argv, cpus=self.cpus.proxy, log=directory / f"{launch.port}.log", env=launch.env, cwd=directory))
        accepted = origin.counts().accepted

        def listening() -> bool:
            program.check()
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", launch.port), 1):
                return True
            return False

        wait_until(listening, _START_SECONDS, f"the start of {name}")
        if tls and self.credentials:
            shake_hands(launch.port, self.credentials)
        if not self.mode.http:  # where a connection without a request reaches nobody
            _forget_probe(origin, accepted, name)
        return program

    def load(self, argv: list[str]) -> Program:
        """Start a load's program beside the origin."""
        log = self._subdirectory("load") / f"{Path(argv[0]).name}.log"
        return self._stack.enter_context(Program(argv, cpus=self.cpus.rest, log=log))

    def identity(self) -> list[str]:
        """Return the arguments by which our loads in C are told their certificate and the server's name."""
        if not self.credentials:
            raise BenchmarkError(f"mode {self.mode} has no certificates")
        files = self.credentials.authority, self.credentials.certificate, self.credentials.key
        return [*map(str, files), NAME]

    def _subdirectory(self, purpose: str) -> Path:
        return Path(tempfile.mkdtemp(prefix=f"{purpose}-", dir=self.directory))

    def window(self, load: Program | None, proxy: Proxy, origin: Origin, warm_up: float = 1.0,
               seconds: float | None = None) -> Window:
        """Let a load run for ``warm_up`` seconds, then watch proxy and origin for the trial's seconds.

        Raises BenchmarkError when a proxy that is to keep its upstream connections makes new ones.
        """
        (window,) = watch([(proxy, origin)], warm_up, seconds or self.seconds)
        if load:
            load.check()
        if self.mode.http and proxy.programs and window.accepted > self.connections + window.requests // 100:
            raise BenchmarkError(f"{window.accepted} new upstream connections for {window.requests} requests")
        return window


def shake_hands(port: int, credentials: Credentials) -> None:
    """Raise BenchmarkError unless whoever listens on ``port`` completes a handshake of mutual TLS 1.3.

    A pair that relays in the clear would be the fastest of all, and the load would not notice.
    """
    context = ssl.create_default_context(cafile=str(credentials.authority))
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(credentials.certificate, credentials.key)
    try:
        with socket.create_connection(("127.0.0.1", port), _HANDSHAKE_SECONDS) as connection, \
                context.wrap_socket(connection, server_hostname=NAME):
            return
    except OSError as error:
        raise BenchmarkError(f"no TLS handshake with port {port}, where there is to be TLS: {error}") from error


def watch(watched: Sequence[tuple[Proxy, Origin]], warm_up: float, seconds: float) -> list[Window]:
    """Wait for ``warm_up`` seconds, then watch proxies and their origins for ``seconds``; return a window for each.

    Raises BenchmarkError when one of them ends meanwhile.
    """
    time.sleep(warm_up)
    pids = [proxy.pids() for proxy, _ in watched]
    first = [_reading(own, origin) for own, (_, origin) in zip(pids, watched, strict=True)]
    time.sleep(seconds)
    last = [_reading(own, origin) for own, (_, origin) in zip(pids, watched, strict=True)]
    for proxy, _ in watched:
        proxy.pids()
    return [
        Window(end[0] - begin[0], end[1] - begin[1], end[2].requests - begin[2].requests,
               end[2].accepted - begin[2].accepted, end[2].bytes - begin[2].bytes)
        for begin, end in zip(first, last, strict=True)]


def _forget_probe(origin: Origin, accepted: int, name: str) -> None:
    """Wait until the connection that found the proxy listening is gone, so that nothing later counts it."""
    with contextlib.suppress(BenchmarkError):
        # A proxy may see that the load is gone before it dials the origin, or dial only after a handshake; then
        # there is nothing to wait for.
        wait_until(lambda: origin.counts().accepted > accepted, 0.5, "the probe's arrival")
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

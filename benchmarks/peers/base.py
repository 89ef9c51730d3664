"""What a peer must say about itself, so that every scenario can put it between load and origin."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from benchmarks.certificates import Credentials


class Mode(StrEnum):
    """What stands between the load and the origin.

    Wherever there is TLS it is 1.3 with X25519 and AES-128-GCM-SHA256, ECDSA P-256 certificates, and both ends
    verify the other's by authority, the connecting end by name too. Wherever there is HTTP it is HTTP/1.1 on both
    sides, with upstream connections that are kept and used again.
    """

    TCP = "tcp"  # one process relays bytes
    MTLS = "mtls"  # one process terminates mutual TLS from the load; no session tickets
    MTLS_TICKETS = "mtls-tickets"  # the same, with session tickets
    PAIR = "pair"  # two sidecars: plain from the load, mutual TLS between them, plain to the origin
    HTTP = "http"  # one process proxies requests
    HTTP_LOG = "http-log"  # the same, with a line of JSON for each request and every metric that it has
    HTTP_PAIR = "http-pair"  # as PAIR, each of the two proxying requests

    @property
    def http(self) -> bool:
        return self in (Mode.HTTP, Mode.HTTP_LOG, Mode.HTTP_PAIR)

    @property
    def encrypted(self) -> bool:
        return self not in (Mode.TCP, Mode.HTTP, Mode.HTTP_LOG)


ACCESS_LOG = "access.log"  # of HTTP_LOG, in the plan's directory


@dataclass(frozen=True)
class Hop:
    """What one process does: it relays connections, or requests, from a port to another, plain or with TLS."""

    name: str
    listen_port: int
    upstream_port: int
    tls_in: bool = False
    tls_out: bool = False
    tickets: bool = False  # whether it issues session tickets where it terminates TLS
    http: bool = False
    log: bool = False  # whether it writes the file ACCESS_LOG


@dataclass(frozen=True)
class Plan:
    """What the harness asks of a peer for one measurement."""

    mode: Mode
    listen_port: int  # where the load will connect, on 127.0.0.1
    origin_port: int  # where the origin listens, on 127.0.0.1
    directory: Path  # an empty directory of this measurement's own, for configuration and whatever else
    between_port: int = 0  # where the second of a pair listens, on 127.0.0.1
    credentials: Credentials | None = None  # for the modes with TLS; both sidecars of a pair present the same
    sessions: int = 4096  # how many connections the proxy must be able to hold

    def hops(self) -> list[Hop]:
        """Return what each process has to do, the one beside the origin first."""
        http = self.mode.http
        if self.mode in (Mode.PAIR, Mode.HTTP_PAIR):
            return [Hop("b", self.between_port, self.origin_port, tls_in=True, http=http),
                    Hop("a", self.listen_port, self.between_port, tls_out=True, http=http)]
        return [Hop("proxy", self.listen_port, self.origin_port, tls_in=self.mode.encrypted,
                    tickets=self.mode is Mode.MTLS_TICKETS, http=http, log=self.mode is Mode.HTTP_LOG)]


@dataclass(frozen=True)
class Launch:
    """A process to start: its command line, the port on 127.0.0.1 that it will listen on, and the files to write
    before (name in the plan's directory: text)."""

    argv: list[str]
    port: int
    files: dict[str, str] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)


class Peer(Protocol):
    """One proxy. An adapter holds a configuration template per mode, a command line, and a version."""

    name: str
    modes: frozenset[Mode]

    def missing(self) -> str | None:
        """Return why it cannot be run here and how to get it, in one line; None when it can."""

    def version(self) -> str:
        """Return its version in one line. Called only when it is not missing."""

    def launches(self, plan: Plan) -> list[Launch]:
        """Return the processes to start, in order, usually one for each of ``plan.hops()``; none for no proxy.

        The next is started when the one before it listens. Each must stay in the foreground, use one worker,
        write no access log unless ``Hop.log`` says so, and end on SIGTERM.
        """


def first_line(text: str) -> str:
    """Return the first line of a program's output that is not blank."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "unknown")

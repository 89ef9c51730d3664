"""What the mesh does, and what its proxies should have: what the API asks of whatever proxies are connected to."""

from __future__ import annotations

from typing import Any, Literal, Protocol

from msgspec import Struct

from mesh_core.channel.resources import ResourceType

Reporter = Literal["source", "destination"]


class TrafficRow(Struct, frozen=True, kw_only=True):
    """Requests of a service or over an edge. `reporter`: at whose end they were counted, by whom they were sent or by
    whom they were answered. Without any requests the shares and times are None.

    `success_percent`: answered with a status below 500. Times: from the first byte to the end, of all answers.
    """

    reporter: Reporter
    source: str
    destination: str
    requests: int
    requests_per_second: float
    success_percent: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


class TrafficReply(Struct, frozen=True, kw_only=True):
    """GET /v1/stat: what went through the mesh in the last `seconds`.

    `services`: what was asked of each, as its own proxies have counted, else those of who asked. `edges`: who asked
    whom, as those who asked have counted. `connections`: open downstream connections of all proxies.
    """

    seconds: float
    services: tuple[TrafficRow, ...]
    edges: tuple[TrafficRow, ...]
    connections: int


class AccessRecord(Struct, frozen=True, kw_only=True):
    """A line of a proxy's access log. `sequence` grows with each; `time_ms`: when it came, since 1970."""

    sequence: int
    time_ms: int
    proxy: str
    service: str
    line: str


class RecordsReply(Struct, frozen=True, kw_only=True):
    """GET /v1/logs: lines of access logs, oldest first. `last`: the sequence to go on behind.

    `missed`: lines between, of any proxy, that are no longer kept; `dropped`: lines since the start that proxies have
    counted and not told, or told faster than they may.
    """

    records: tuple[AccessRecord, ...]
    last: int
    missed: int
    dropped: int


class DumpedResource(Struct, frozen=True, kw_only=True):
    """A resource that a proxy should have. `content` is None of secrets, always."""

    type: ResourceType
    name: str
    hash: str
    acknowledged: bool
    content: Any


class ConfigDumpReply(Struct, frozen=True, kw_only=True):
    """GET /v1/config-dump: what one proxy should have.

    `version`: of the newest update for it; `acknowledged_version`: of the last that is in effect there as a whole;
    `faults`: of its last refusal; `leftovers`: what it has acknowledged and should have no more, as "cluster web".
    """

    proxy: str
    version: int
    acknowledged_version: int
    in_sync: bool
    faults: tuple[str, ...]
    resources: tuple[DumpedResource, ...]
    leftovers: tuple[str, ...]


class Observation(Protocol):
    """Whatever knows the proxies."""

    def traffic(self, window_s: float) -> TrafficReply:
        """Of about so many seconds."""

    def records(self, after: int, limit: int, proxy: str, service: str) -> RecordsReply:
        """The first `limit` behind the sequence `after`; with -1, the newest. `proxy`, `service`: empty for all."""

    def config_dump(self, proxy: str) -> ConfigDumpReply | None:
        """None: no such proxy is connected."""

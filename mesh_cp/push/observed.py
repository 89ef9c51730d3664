"""What the proxies of a pusher do and should have, as the API tells it; its Observation."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from mesh_core.channel.messages import COUNT_MOST
from mesh_core.channel.resources import Encoded, Key
from mesh_cp.observation import ConfigDumpReply, DumpedResource, RecordsReply, TrafficReply, TrafficRow
from mesh_cp.push.pusher import Pusher
from mesh_cp.telemetry import Edge, Traffic, by_service


class Observed:
    """Answers for one pusher."""

    def __init__(self, pusher: Pusher) -> None:
        self._pusher = pusher

    def traffic(self, window_s: float) -> TrafficReply:
        """Of about so many seconds."""
        telemetry = self._pusher.mesh_telemetry
        seconds, found = telemetry.edges(window_s)
        return TrafficReply(
            seconds=round(seconds, 3),
            services=_rows(seconds, by_service(found)),
            edges=_rows(seconds, {edge: each for edge, each in found.items() if edge.reporter == "source"}),
            connections=_shown(sum(telemetry.connections.values())),
        )

    def records(self, after: int, limit: int, proxy: str, service: str) -> RecordsReply:
        """The first `limit` behind the sequence `after`; with -1, the newest."""
        kept = self._pusher.mesh_telemetry.records
        found = kept.find(after, limit, proxy, service)
        return RecordsReply(records=found.records, last=found.last, missed=found.missed, dropped=_shown(kept.dropped))

    def config_dump(self, proxy: str) -> ConfigDumpReply | None:
        """None: no such proxy is connected."""
        session = self._pusher.sessions.get(proxy)
        if session is None:
            return None
        delivery = session.delivery
        return ConfigDumpReply(
            proxy=proxy,
            version=delivery.wanted_version,
            acknowledged_version=delivery.acked_version,
            in_sync=delivery.in_sync,
            faults=delivery.refused,
            resources=tuple(_resource(key, delivery.wanted[key], delivery.holds) for key in sorted(delivery.wanted)),
            leftovers=tuple(f"{key.type} {key.name}" for key in sorted(delivery.holds.keys() - delivery.wanted.keys())),
        )


def _shown(count: int) -> int:
    """What a number is shown as: a proxy may tell what it likes, and JSON has no end of digits."""
    return min(count, COUNT_MOST)


def _rows(seconds: float, found: Mapping[Edge, Traffic]) -> tuple[TrafficRow, ...]:
    return tuple(_row(seconds, edge, found[edge]) for edge in sorted(found, key=lambda edge: edge[::-1]))


def _row(seconds: float, edge: Edge, traffic: Traffic) -> TrafficRow:
    return TrafficRow(
        reporter=edge.reporter,
        source=edge.source,
        destination=edge.destination,
        requests=_shown(traffic.requests),
        requests_per_second=traffic.requests / seconds,
        success_percent=100 * traffic.successes / traffic.requests if traffic.requests else None,
        p50_ms=traffic.quantile_ms(50),
        p95_ms=traffic.quantile_ms(95),
        p99_ms=traffic.quantile_ms(99),
    )


def _resource(key: Key, encoded: Encoded, holds: Mapping[Key, bytes]) -> DumpedResource:
    return DumpedResource(
        type=key.type,
        name=key.name,
        hash=encoded.hash.hex(),
        acknowledged=holds.get(key) == encoded.hash,
        content=None if key.type == "secret" else msgspec.msgpack.decode(encoded.content),
    )

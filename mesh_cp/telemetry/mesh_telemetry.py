"""Requests of the last minute, by edge: who asked whom, as both of their proxies have counted them.

Bounded: a slot for each five seconds, and at most so many edges in each, and so many of one proxy; those beyond are
counted as one.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct, field

from mesh_core.channel.messages import Telemetry, WorkloadInfo
from mesh_cp.generators.names import inbound_name
from mesh_cp.telemetry.access_records import AccessRecords
from mesh_cp.telemetry.traffic import Edge, Traffic, destination_of

SLOT_S = 5.0
SLOTS = 12
WINDOW_S = SLOT_S * SLOTS
EDGES_MOST, EDGES_OF_ONE_MOST = 10_000, 1_000

OTHERS = Edge("source", "other", "other")


class _Slot(Struct):
    """`added`: of each node how many edges it was the first to tell of."""

    begun_s: float
    edges: dict[Edge, Traffic] = field(default_factory=dict)
    added: dict[str, int] = field(default_factory=dict)

    def edge(self, node: str, edge: Edge) -> Edge:
        """What is counted for an edge that the node tells of."""
        if edge in self.edges:
            return edge
        added = self.added.get(node, 0)
        if len(self.edges) >= EDGES_MOST or added >= EDGES_OF_ONE_MOST:
            return OTHERS
        self.added[node] = added + 1
        return edge


class MeshTelemetry:
    """Takes what proxies tell, and sums it up."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._slots: deque[_Slot] = deque(maxlen=SLOTS)
        self.connections: dict[str, int] = {}
        """Of each node its open connections."""
        self.records = AccessRecords(now_s)

    def take(self, node: str, namespace: str, workloads: Sequence[WorkloadInfo], telemetry: Telemetry) -> None:
        """What the proxy of that node has counted. `namespace`: its own; `workloads`: what it stands before."""
        self.connections[node] = telemetry.connections
        slot = self._slot()
        own = _service(workloads[0]) if workloads else f"{node}.{namespace}"
        inbound = {inbound_name(each.port): _service(each) for each in workloads}
        for growth in telemetry.requests:
            if growth.inbound:
                edge = Edge("destination", "", inbound.get(growth.cluster, own))
            else:
                edge = Edge("source", own, destination_of(growth.cluster))
            slot.edges.setdefault(slot.edge(node, edge), Traffic()).add(growth)
        self.records.take(node, own, telemetry)

    def _slot(self) -> _Slot:
        now_s = self._now_s()
        if not self._slots or now_s - self._slots[-1].begun_s >= SLOT_S:
            self._slots.append(_Slot(now_s))
        return self._slots[-1]

    def gone(self, node: str) -> None:
        """The proxy is gone."""
        self.connections.pop(node, None)
        self.records.gone(node)

    def edges(self, window_s: float = WINDOW_S) -> tuple[float, dict[Edge, Traffic]]:
        """What went over each edge in the last `window_s` seconds, in whole slots; and how many seconds those are."""
        now_s = self._now_s()
        chosen = [slot for slot in self._slots if now_s - slot.begun_s <= window_s]
        found: dict[Edge, Traffic] = {}
        for slot in chosen:
            merge(found, slot.edges.items())
        return (max(now_s - chosen[0].begun_s, 1.0) if chosen else window_s), found


def merge(found: dict[Edge, Traffic], more: Iterable[tuple[Edge, Traffic]]) -> None:
    """Count more into what was found."""
    for edge, traffic in more:
        found.setdefault(edge, Traffic()).merge(traffic)


def by_service(edges: dict[Edge, Traffic]) -> dict[Edge, Traffic]:
    """What was asked of each service: as its own proxies have counted it, else as those have who asked."""
    seen = {edge.destination for edge in edges if edge.reporter == "destination"}
    found: dict[Edge, Traffic] = {}
    for edge, traffic in edges.items():
        if (edge.reporter == "destination") == (edge.destination in seen):
            merge(found, [(Edge(edge.reporter, "", edge.destination), traffic)])
    return found


def _service(workload: WorkloadInfo) -> str:
    return f"{workload.service}.{workload.namespace}"

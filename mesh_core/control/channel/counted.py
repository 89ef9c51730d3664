"""What a proxy has counted, as the control channel tells it: the growth since the last time, and access records."""

from __future__ import annotations

from mesh_core.channel.messages import GROWTHS_MOST, RequestGrowth, Telemetry
from mesh_core.control.admin.request_metrics import OTHER, UNKNOWN
from mesh_core.control.proxy import Proxy
from mesh_core.telemetry.request_metrics import Series


class CountedRequests:
    """Remembers what was told, of each worker: whoever is told adds up."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._told: dict[tuple[object, ...], Series] = {}
        self._connections = 0

    def growth(self) -> Telemetry | None:
        """What there is to tell; None when nothing has changed."""
        requests: list[RequestGrowth] = []
        for worker, series in enumerate(self._proxy.request_series):
            for each in series:
                key = worker, *each[:5]
                before = self._told.get(key)
                if (before is None or each.requests != before.requests) and len(requests) < GROWTHS_MOST:
                    requests.append(self._grown(each, before))
                    self._told[key] = each
        connections = self._proxy.active_connections
        share = self._proxy.record_share
        records, dropped = ((), 0) if share is None else share.told()
        if not (requests or records or dropped) and connections == self._connections:
            return None
        self._connections = connections
        return Telemetry(requests=tuple(requests), connections=connections, records=records, dropped=dropped)

    def _grown(self, after: Series, before: Series | None) -> RequestGrowth:
        old = [0] * len(after.duration_us) if before is None else before.duration_us
        durations = {
            index: now - then
            for index, (now, then) in enumerate(zip(after.duration_us[:-1], old[:-1], strict=True))
            if now != then
        }
        names = self._proxy.registry.cluster_names
        return RequestGrowth(
            cluster=OTHER if after.cluster_id is None else names[after.cluster_id] or UNKNOWN,
            inbound=after.inbound,
            status=after.status,
            flags=after.flags,
            requests=after.requests - (0 if before is None else before.requests),
            durations=durations,
            duration_us=after.duration_us[-1] - old[-1],
        )

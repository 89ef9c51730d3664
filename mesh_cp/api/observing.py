"""Requests for what the mesh does."""

from __future__ import annotations

from mesh_cp.api.queries import Query, number, only
from mesh_cp.api.refusals import RefusedError
from mesh_cp.observation import ConfigDumpReply, Observation, RecordsReply, TrafficReply
from mesh_cp.telemetry.mesh_telemetry import WINDOW_S

RECORDS_MOST = 5_000


class Observing:
    """Answers from what proxies have told, and from what they were sent."""

    def __init__(self, observation: Observation) -> None:
        self._observation = observation

    async def stat(self, query: Query) -> TrafficReply:
        """What went through the mesh in the last seconds. Raises RefusedError."""
        only(query, "window_s")
        return self._observation.traffic(max(1, min(number(query, "window_s", int(WINDOW_S)), int(WINDOW_S))))

    async def logs(self, query: Query) -> RecordsReply:
        """Access records: the newest, or those behind a sequence. Raises RefusedError."""
        only(query, "proxy", "service", "after", "limit")
        limit = max(1, min(number(query, "limit", RECORDS_MOST), RECORDS_MOST))
        return self._observation.records(
            number(query, "after", -1), limit, query.get("proxy", ""), query.get("service", "")
        )

    async def config_dump(self, query: Query) -> ConfigDumpReply:
        """What a proxy should have. Raises RefusedError."""
        only(query, "proxy")
        found = self._observation.config_dump(query.get("proxy", ""))
        if found is None:
            raise RefusedError(404, "not_found", f"no proxy {query.get('proxy', '')[:200]!r} is connected")
        return found

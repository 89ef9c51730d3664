"""A control plane's API over a store of its own, on a thread of this process; its proxies are what a test says."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, Self

import structlog
import uvloop

from mesh_cp.api.server import ApiServer
from mesh_cp.catalog import Edit
from mesh_cp.cli.client import Client
from mesh_cp.model import Problem
from mesh_cp.observation import ConfigDumpReply, RecordsReply, TrafficReply
from mesh_cp.propagation import Acknowledgement, ProxyPreview, ProxyStatus
from mesh_cp.resources import Key
from mesh_cp.store.sqlite import SqliteStore
from tests.support.waiting import LIMIT_S


class Proxies:
    """Stands for what pushes: it answers with what it was given, and notes what it was asked."""

    def __init__(self) -> None:
        self.statuses: Sequence[ProxyStatus] = ()
        self.answer = Acknowledgement(affected=0, acknowledged=0)
        self.previews: Sequence[ProxyPreview] = ()
        self.contradictions: Sequence[Problem] = ()
        self.asked: list[tuple[int, float]] = []

    def proxies(self) -> Sequence[ProxyStatus]:
        return self.statuses

    def problems(self, key: Key) -> Sequence[Problem]:
        return [each for each in self.contradictions if each.key == key]

    async def acknowledged(self, revision: int, committed_s: float, timeout_s: float) -> Acknowledgement:
        assert committed_s <= time.monotonic()
        self.asked.append((revision, timeout_s))
        return self.answer

    async def preview(self, edits: Sequence[Edit]) -> Sequence[ProxyPreview]:
        return self.previews


class Observed:
    """What a test says that there is to observe; it remembers what was asked."""

    def __init__(self) -> None:
        self.seen = TrafficReply(seconds=60.0, services=(), edges=(), connections=0)
        self.kept = RecordsReply(records=(), last=0, missed=0, dropped=0)
        self.dumps: dict[str, ConfigDumpReply] = {}
        self.asked: list[tuple[object, ...]] = []

    def traffic(self, window_s: float) -> TrafficReply:
        self.asked.append((window_s,))
        return self.seen

    def records(self, after: int, limit: int, proxy: str, service: str) -> RecordsReply:
        self.asked.append((after, limit, proxy, service))
        return self.kept

    def config_dump(self, proxy: str) -> ConfigDumpReply | None:
        return self.dumps.get(proxy)


class RunningApi:
    """The API, answering at `address` until it is closed."""

    def __init__(self, folder: Path, address: str | None = None, socket_mode: int = 0o600) -> None:
        """`folder`: for the store, and for the socket unless another address is given."""
        self._folder = folder
        self._listen = address or f"unix:{folder / 'api.sock'}"
        self._mode = socket_mode
        self.proxies = Proxies()
        self.observation = Observed()
        # The log would be among what commands print, in the tests that run them.
        self._logs = structlog.testing.capture_logs()
        self.logged = self._logs.__enter__()
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.do(self._open())

    async def _open(self) -> None:
        self.store = await SqliteStore.open(self._folder / "store")
        self.server = ApiServer(self.store, self.proxies, self.observation, self._mode)
        self.server.open(self._listen, "test")
        await self.server.serve()

    @property
    def address(self) -> str:
        """Where it is."""
        return self.server.address

    @property
    def client(self) -> Client:
        """One who asks it."""
        return Client(self.address)

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine on its loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(LIMIT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End it."""
        self.do(self.server.close())
        self.do(self.store.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._logs.__exit__(None, None, None)

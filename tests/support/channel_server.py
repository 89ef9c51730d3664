"""A control plane reduced to its channel: a test says what each proxy should have, and sees what it answers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, Self

from mesh_core.channel.messages import Telemetry
from mesh_core.channel.resources import Encoded, Key, ResourceType, encode_resource
from mesh_cp.channel.server import ChannelServer
from mesh_cp.channel.session import Session
from tests.support.waiting import LIMIT_S, wait_until

Resources = Mapping[tuple[ResourceType, str], Any]


class Everybody:
    """Subscribers that all get the same."""

    def __init__(self) -> None:
        self.version = 0
        self.resources: dict[Key, Encoded] = {}
        self.known: Callable[[Session], bool] = lambda session: True
        self.telemetry_seen: list[Telemetry] = []
        self.withdrawing = asyncio.Event()
        self.withdrawing.set()
        self.workloads: dict[str, list[str]] = {}

    def joined(self, session: Session) -> None:
        """Send it what there is."""
        self.registered(session)
        session.delivery.want_all(self.version, self.resources)
        session.send_due()

    def subscribed(self, session: Session) -> None:
        """Everybody gets everything."""

    def registered(self, session: Session) -> None:
        """Keep its services."""
        self.workloads[session.node] = [each.service for each in session.workloads]

    async def withdrawn(self, session: Session) -> None:
        """Wait until the test allows it."""
        self.workloads[session.node] = []
        await self.withdrawing.wait()

    def acked(self, session: Session) -> None:
        """The test asks the session."""

    def telemetry(self, session: Session, telemetry: Telemetry) -> None:
        """Keep it."""
        self.telemetry_seen.append(telemetry)

    def left(self, session: Session) -> None:
        """Its workloads go with it."""
        self.workloads.pop(session.node, None)


class RunningChannelServer:
    """A channel server in a thread of its own; use it as a context."""

    def __init__(self, address: str, heartbeat_ms: int = 200) -> None:
        self._address, self._heartbeat_ms = address, heartbeat_ms
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self.subscribers: Everybody
        self.server: ChannelServer

    def __enter__(self) -> Self:
        self._thread.start()
        self.call(self._open)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End it and every connection; again is allowed."""
        if self._loop.is_closed():
            return
        self.call(self.server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _open(self) -> None:
        self.subscribers = Everybody()
        self.server = ChannelServer(self.subscribers, self._heartbeat_ms)
        self.server.open(self._address, "test")
        await self.server.serve()

    def call(self, work: Callable[[], Any]) -> Any:
        """Run it on the server's loop; what it gives, awaited if it is to be."""

        async def run() -> Any:
            found = work()
            return await found if asyncio.iscoroutine(found) else found

        future: Future[Any] = asyncio.run_coroutine_threadsafe(run(), self._loop)
        return future.result(LIMIT_S)

    @property
    def address(self) -> str:
        """Where it listens."""
        return self.server.address

    def push(self, resources: Resources) -> int:
        """From now on every proxy should have these; the version."""
        return self.push_encoded({Key(*key): encode_resource(each) for key, each in resources.items()})

    def push_encoded(self, resources: Mapping[Key, Encoded]) -> int:
        """The same, of what is on the wire."""

        def want() -> int:
            self.subscribers.version += 1
            self.subscribers.resources = dict(resources)
            for session in self.server.sessions.values():
                session.delivery.want_all(self.subscribers.version, self.subscribers.resources)
                session.send_due()
            return self.subscribers.version

        version: int = self.call(want)
        return version

    def session(self, node: str) -> Session:
        """That of a proxy, once it is there."""
        wait_until(lambda: node in self.server.sessions, f"proxy {node} is there")
        return self.server.sessions[node]

    def wait_acked(self, node: str, version: int) -> None:
        """Wait until it is in effect at that proxy."""
        wait_until(
            lambda: (found := self.server.sessions.get(node)) is not None and found.delivery.acked_version >= version,
            f"version {version} is in effect at {node}",
        )

    def wait_refused(self, node: str) -> tuple[str, ...]:
        """The faults of an update that the proxy has refused."""
        wait_until(lambda: self.session(node).delivery.refused, f"{node} has refused an update")
        return self.session(node).delivery.refused

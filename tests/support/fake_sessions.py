"""A control plane's pusher over a store in memory, and proxies that are no more than what they hold."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

import msgspec

from mesh_core.channel.messages import DialInfo, Hello, WorkloadInfo
from mesh_core.channel.resources import Key, ResourceType
from mesh_cp.catalog import Catalog
from mesh_cp.channel.delivery import Delivery
from mesh_cp.channel.frames import Change
from mesh_cp.channel.session import Session
from mesh_cp.push.followed import Followed
from mesh_cp.push.progress import Progress
from mesh_cp.push.pusher import Pusher
from mesh_cp.store import Store
from tests.support.manifests import resources


def workload(service: str, number: int = 1, namespace: str = "default", **more: Any) -> WorkloadInfo:
    """One of a service, at an address that `number` tells from others."""
    settings = {"port": 8080, "port_name": "http", "listen": f"10.0.0.{number}:15006", "app": "127.0.0.1:8080"}
    return WorkloadInfo(service=service, namespace=namespace, **{**settings, **more})


def hello(node: str, *workloads: WorkloadInfo, dials: tuple[str, ...] = (), **more: Any) -> Hello:
    """Of a proxy with an outbound listener."""

    dialled = tuple(DialInfo(host=each) for each in dials)
    return Hello(protocol=1, node=node, outbound="127.0.0.1:15001", dials=dialled, workloads=workloads, **more)


class FakeSession:
    """Stands for a Session: it answers when it is told to, or at once."""

    def __init__(self, said: Hello, *, answers: bool = True) -> None:
        self.hello, self.node = said, said.node
        self.dials, self.workloads = said.dials, said.workloads
        holds = {Key(kind, name): each for kind, names in said.holds.items() for name, each in names.items()}
        self.delivery = Delivery(holds)
        self.answers = answers
        self.leaving = False
        self.sent: list[Change] = []
        """The updates, in their order."""
        self._version: int | None = None
        self.pusher: Pusher

    def send_due(self) -> None:
        """As a Session."""
        due = self.delivery.next()
        if due is None:
            return
        self._version, change = due
        self.sent.append(change)
        if self.answers:
            asyncio.get_running_loop().call_soon(self.ack)

    def ack(self) -> None:
        """Say that the update is in effect."""
        assert self._version is not None
        version, self._version = self._version, None
        assert self.delivery.acked(version)
        self.pusher.acked(self.session)
        self.send_due()

    def nack(self, *faults: str) -> None:
        """Refuse it."""
        assert self._version is not None
        version, self._version = self._version, None
        self.delivery.nacked(version, faults)
        self.pusher.acked(self.session)

    @property
    def session(self) -> Session:
        """What the pusher takes it for."""
        return cast("Session", self)

    @property
    def holds(self) -> dict[ResourceType, dict[str, bytes]]:
        """What its next hello would say."""
        found: dict[ResourceType, dict[str, bytes]] = {}
        for key, each in self.delivery.wanted.items():
            found.setdefault(key.type, {})[key.name] = each.hash
        return found

    def endpoints(self, cluster: str) -> Any:
        """Those that it should have for a cluster."""

        found = self.delivery.wanted.get(Key("endpoint", cluster))
        return None if found is None else msgspec.msgpack.decode(bytes(found.content))


class Plane:
    """A control plane without a channel."""

    def __init__(self, store: Store, followed: Followed) -> None:
        self.store, self.followed = store, followed
        self.pusher = followed.pusher
        self.progress = Progress(self.pusher, followed)
        self.catalog = Catalog(store)

    def join(self, said: Hello, *, answers: bool = True) -> FakeSession:
        """A proxy has said hello."""
        session = FakeSession(said, answers=answers)
        session.pusher = self.pusher
        self.pusher.joined(session.session)
        return session

    def leave(self, session: FakeSession) -> asyncio.Task[None]:
        """A proxy takes its leave; ends when it may go."""
        session.leaving = True
        return asyncio.get_running_loop().create_task(self.pusher.withdrawn(session.session))

    async def apply(self, *texts: str) -> int:
        """Apply manifests; the revision of the store."""
        return (await self.catalog.apply(resources(*texts), "test")).revision

    async def until(self, condition: Callable[[], Any]) -> None:
        """Let the loop go on until that holds."""
        while not condition():
            await asyncio.sleep(0)

    async def settled(self) -> None:
        """Let everything that is to be done without waiting be done."""
        for _ in range(20):
            await asyncio.sleep(0)


@asynccontextmanager
async def plane(store: Store, grace_s: float = 60.0) -> AsyncIterator[Plane]:
    """A control plane that runs on the store."""
    followed = Followed(store, grace_s)
    await followed.start()
    following = asyncio.get_running_loop().create_task(followed.run())
    try:
        yield Plane(store, followed)
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await followed.pusher.registrations.close()


def names(change: Change) -> Mapping[str, bool]:
    """Of each resource in an update whether it is there then."""
    return {f"{key.type} {key.name}": each is not None for key, each in change.items()}

"""One world after the other, and what of it each proxy is sent.

A change of workloads makes the next world at a cost that does not grow with the mesh, and touches only the proxies that
depend on what has changed. It is not collected with others for a time: what comes in one turn of the loop is one world.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping

import structlog
from msgspec import Struct

from mesh_core.channel.messages import Telemetry
from mesh_core.channel.resources import Encoded, Key
from mesh_cp.channel.session import Session
from mesh_cp.generators import Generator, Index, Output, OutputKey, Proxy
from mesh_cp.generators.generate import Generated
from mesh_cp.model import Fact, Workload, World, changed_facts, with_workloads
from mesh_cp.push.encodings import Encodings, key_of
from mesh_cp.push.proxies import proxy_of
from mesh_cp.push.registrations import GRACE_S, Registrations
from mesh_cp.push.versions import Versions
from mesh_cp.store import Store
from mesh_cp.telemetry import MeshTelemetry

log = structlog.get_logger("hopmesh")

REST = 9.0
"""After each look at what one proxy wants it has so many times as long to wait for the next: however much it dials, and
however often it says so, nine tenths of the time are for others."""
NOT_YET = 1 << 62
WITHDRAWAL_TIMEOUT_S = 4.0
"""How long a proxy that leaves waits for the others: less than it waits for us."""


class Share(Struct):
    """What one proxy should have of the present world.

    `announced_at`: the version with which it can take what is for its workloads, which are known to others from then
    on; None: there is nothing to announce.
    """

    proxy: Proxy
    generated: Generated
    announced_at: int | None = None
    refresh: asyncio.Handle | None = None
    """When what it dials or serves has changed: the time at which that is looked at."""
    free_at_s: float = 0.0
    """By the loop's clock, when it may next be."""


class Pusher:
    """Keeps the world, and every proxy's share of it up to date. The Subscribers of a ChannelServer."""

    def __init__(self, store: Store, world: World, revision: int, grace_s: float = GRACE_S) -> None:
        """`world`: what the manifests make, as of that revision of the store."""
        self.registrations = Registrations(store, self.change_workloads, grace_s)
        self.mesh_telemetry = MeshTelemetry()
        self.versions = Versions()
        self.sessions: dict[str, Session] = {}
        """Of each node that is there, by its name."""
        self.encodings = Encodings()
        self._generator = Generator(world)
        self._index = Index()
        self._shares: dict[str, Share] = {}
        self._changes: dict[str, Workload | None] = {}
        self._moving: asyncio.Handle | None = None
        self.versions.next(revision, ())

    @property
    def world(self) -> World:
        """The newest."""
        return self._generator.world

    # --- worlds ---

    def change_workloads(self, changes: Mapping[str, Workload | None]) -> None:
        """Workloads have come, changed or gone; together with what else comes in this turn of the loop."""
        self._changes.update(changes)
        if self._moving is None:
            self._moving = asyncio.get_running_loop().call_soon(self._move_workloads)

    def _move_workloads(self) -> None:
        self._moving = None
        changes, self._changes = self._changes, {}
        if changes:
            self._move(with_workloads(self.world, changes), self.versions.revision)

    def change_manifests(self, world: World, revision: int) -> None:
        """The manifests, as of that revision of the store, make this world with the present workloads."""
        known = set(self.world.problems)
        self._move(world, revision)
        for problem in world.problems:
            if problem not in known:
                log.warning("contradiction", resource=str(problem.key), path=problem.path, reason=problem.message)

    def _move(self, world: World, revision: int) -> None:
        facts = changed_facts(self.world, world)
        self._generator.move(world, facts)
        version = self.versions.next(revision, ())
        affected = [node for node in self._index.concerned(facts) if self._update(node, version, facts)]
        self.versions.concerns(version, affected)
        for node in affected:
            self.sessions[node].send_due()

    # --- one proxy ---

    def _refresh(self, session: Session) -> None:
        """It dials or serves something else."""
        loop, node = asyncio.get_running_loop(), session.node
        share = self._shares[node]
        share.refresh = None
        begun_s = time.monotonic()
        if self._update(node, self.versions.next(self.versions.revision, (node,))):
            session.send_due()
        share.free_at_s = loop.time() + REST * (time.monotonic() - begun_s)
        if share.announced_at is not None:
            share.announced_at = session.delivery.wanted_version
            self._announce(session)

    def _update(self, node: str, version: int, facts: Collection[Fact] | None = None) -> bool:
        """Bring what the proxy should have up to date; whether that has changed.

        `facts`: those that have changed, where nothing else has; None: the proxy itself is another.
        """
        session, share = self.sessions[node], self._shares[node]
        if session.leaving:
            # Its workloads are gone for others: what it serves them by would go, too.
            return False
        before = share.generated.outputs
        try:
            if facts is None:
                share.proxy = proxy_of(session)
                share.generated = self._generator.generate(share.proxy)
            else:
                share.generated = self._generator.again(share.proxy, share.generated, facts)
            change = self._difference(session, before, share.generated)
        except Exception:
            # What one proxy says of itself must not stop the others.
            log.exception("no configuration can be made", node=node)
            return False
        self._index.update(node, share.generated.facts)
        if change:
            session.delivery.want(version, change)
        return bool(change)

    def _difference(
        self, session: Session, before: Mapping[OutputKey, Output], generated: Generated
    ) -> dict[Key, Encoded | None]:
        wanted = session.delivery.wanted
        change: dict[Key, Encoded | None] = {}
        if generated.renewed is None:
            change = {key_of(key): None for key in before if key not in generated.outputs}
        for output in generated.outputs.values() if generated.renewed is None else generated.renewed:
            if before.get(output.key) is not output:
                key, encoded = key_of(output.key), self.encodings.of(output)
                if key not in wanted or wanted[key].hash != encoded.hash:
                    change[key] = encoded
        return change

    def _drop(self, node: str) -> None:
        share = self._shares.pop(node, None)
        if share is not None and share.refresh is not None:
            share.refresh.cancel()

    def _announce(self, session: Session) -> None:
        """Have its workloads known to others, if it takes what is for them already."""
        share = self._shares[session.node]
        if share.announced_at is not None and session.delivery.acked_version >= share.announced_at:
            share.announced_at = None
            self.registrations.register(session.node, session.hello.locality, session.workloads)

    # --- what sessions tell ---

    def joined(self, session: Session) -> None:
        """Send it what it should have and does not hold."""
        node, version = session.node, self.versions.current
        proxy = proxy_of(session)
        generated = self._generator.generate(proxy)
        self._drop(node)
        self.sessions[node] = session
        self._shares[node] = Share(proxy, generated, version)
        self._index.update(node, generated.facts)
        self.registrations.here(node)
        outputs = generated.outputs.items()
        session.delivery.want_all(version, {key_of(key): self.encodings.of(each) for key, each in outputs})
        self._announce(session)
        session.send_due()

    def subscribed(self, session: Session) -> None:
        """It dials something else."""
        if self.sessions.get(session.node) is not session:
            return
        share = self._shares[session.node]
        if share.refresh is None:
            loop = asyncio.get_running_loop()
            if (wait_s := share.free_at_s - loop.time()) > 0:
                share.refresh = loop.call_later(wait_s, self._refresh, session)
            else:
                share.refresh = loop.call_soon(self._refresh, session)

    def registered(self, session: Session) -> None:
        """It serves something else."""
        self.subscribed(session)
        if self.sessions.get(session.node) is session:
            # Not before it is looked at.
            self._shares[session.node].announced_at = NOT_YET

    async def withdrawn(self, session: Session) -> None:
        """Its workloads go; returns when every proxy that was told of them knows, or after a time."""
        if self.sessions.get(session.node) is not session:
            return
        self._shares[session.node].announced_at = None
        self.registrations.register(session.node, session.hello.locality, ())
        # The next world is made in this turn of the loop.
        await asyncio.sleep(0)
        await self.reached(self.versions.current, WITHDRAWAL_TIMEOUT_S)

    def acked(self, session: Session) -> None:
        """Somebody may be waiting for that."""
        if self.sessions.get(session.node) is session:
            self._announce(session)
        self.versions.tell()

    def telemetry(self, session: Session, telemetry: Telemetry) -> None:
        """It has counted something."""
        self.mesh_telemetry.take(session.node, session.hello.namespace, session.workloads, telemetry)

    def left(self, session: Session) -> None:
        """It is gone, unless another connection has taken its place already."""
        node = session.node
        if self.sessions.get(node) is session:
            self._drop(node)
            del self.sessions[node]
            self._index.remove(node)
            self.mesh_telemetry.gone(node)
            self.registrations.away(node)
        self.versions.tell()

    # --- how far a version has come ---

    async def reached(self, version: int, timeout_s: float) -> None:
        """Wait until the version is in effect, or refused, at every proxy that it concerns and that is there, or until
        the time is over."""
        waiting = list(self.versions.concerned(version))
        try:
            async with asyncio.timeout(timeout_s):
                while waiting := [node for node in waiting if self._waits(node, version)]:
                    await self.versions.news()
        except TimeoutError:
            pass

    def _waits(self, node: str, version: int) -> bool:
        session = self.sessions.get(node)
        return session is not None and not (self.has(node, version) or self.has_refused(node, version))

    def has(self, node: str, version: int) -> bool:
        """Whether the version is in effect there."""
        session = self.sessions.get(node)
        return session is not None and session.delivery.acked_version >= version

    def has_refused(self, node: str, version: int) -> bool:
        """Whether that proxy has refused an update of the version, or of a later one, and nothing has come of it."""
        session = self.sessions.get(node)
        return session is not None and bool(session.delivery.refused) and session.delivery.refused_version >= version

    def shares(self) -> dict[str, Share]:
        """Of each proxy that is there what it should have, now."""
        return dict(self._shares)

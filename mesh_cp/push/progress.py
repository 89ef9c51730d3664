"""How far changes have come, as the API tells it; the Propagation of a control plane."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence

from mesh_cp.catalog import Edit
from mesh_cp.generators import Generator, Output, OutputKey
from mesh_cp.model import Problem, World
from mesh_cp.propagation import Acknowledgement, ProxyPreview, ProxyStatus, Rejection
from mesh_cp.push.followed import Followed
from mesh_cp.push.pusher import Pusher, Share
from mesh_cp.resources import Key


class Progress:
    """Answers for one pusher."""

    def __init__(self, pusher: Pusher, followed: Followed) -> None:
        self._pusher, self._followed = pusher, followed

    def proxies(self) -> Sequence[ProxyStatus]:
        """All that are there, and those whose workloads wait for them to come back, by name."""
        away = (each for each in self._pusher.registrations.away_nodes if each not in self._pusher.sessions)
        found = [
            *(self._status(node) for node in self._pusher.sessions),
            *(ProxyStatus(name=node, connected=False, in_sync=False, version="", revision=0) for node in away),
        ]
        return sorted(found, key=lambda each: each.name)

    def _status(self, node: str) -> ProxyStatus:
        session, versions = self._pusher.sessions[node], self._pusher.versions
        delivery = session.delivery
        return ProxyStatus(
            name=node,
            connected=True,
            in_sync=delivery.in_sync,
            version=session.hello.version,
            revision=versions.revision if delivery.in_sync else versions.revision_of(delivery.acked_version),
            faults=delivery.refused,
        )

    def problems(self, key: Key) -> Sequence[Problem]:
        """What a resource asks for and does not get, because of others."""
        return [each for each in self._pusher.world.problems if each.key == key]

    async def acknowledged(self, revision: int, committed_s: float, timeout_s: float) -> Acknowledgement:
        """Wait until every proxy that the change of `revision` concerns has answered, or until the time is over."""
        pusher = self._pusher
        ends_s = time.monotonic() + timeout_s
        version = await self._version(revision, timeout_s)
        if version is None:
            # Whom it concerns is not known yet.
            nodes = tuple(sorted(pusher.sessions))
            elapsed_ms = (time.monotonic() - committed_s) * 1000
            return Acknowledgement(affected=len(nodes), acknowledged=0, waiting=nodes, elapsed_ms=elapsed_ms)
        concerned = sorted(pusher.versions.concerned(version))
        await pusher.reached(version, max(0.0, ends_s - time.monotonic()))
        rejected = tuple(
            Rejection(node, pusher.sessions[node].delivery.refused)
            for node in concerned
            if pusher.has_refused(node, version)
        )
        acknowledged = [node for node in concerned if pusher.has(node, version)]
        answered = {*acknowledged, *(each.proxy for each in rejected)}
        return Acknowledgement(
            affected=len(concerned),
            acknowledged=len(acknowledged),
            rejected=rejected,
            waiting=tuple(node for node in concerned if node not in answered),
            elapsed_ms=(time.monotonic() - committed_s) * 1000,
        )

    async def _version(self, revision: int, timeout_s: float) -> int | None:
        """The version that a revision of the store has led to, once there is one; None: not in that time."""
        versions = self._pusher.versions
        try:
            async with asyncio.timeout(timeout_s):
                while (version := versions.of_revision(revision)) is None:
                    await versions.news()
        except TimeoutError:
            return None
        return version

    async def preview(self, edits: Sequence[Edit]) -> Sequence[ProxyPreview]:
        """What each proxy would be sent if `edits` were done; those that would get nothing are left out."""
        world, shares = self._followed.world_with(edits), self._pusher.shares()
        # Not on the loop's thread: with many proxies it takes seconds.
        return await asyncio.get_running_loop().run_in_executor(None, _previews, world, shares)


def _previews(world: World, shares: Mapping[str, Share]) -> Sequence[ProxyPreview]:
    generator = Generator(world)
    previews = []
    for node, share in sorted(shares.items()):
        before, after = share.generated.outputs, generator.generate(share.proxy).outputs
        made = [key for key, output in after.items() if not _same(before.get(key), output)]
        gone = [key for key in before if key not in after]
        if made or gone:
            previews.append(ProxyPreview(proxy=node, set=_names(made), removed=_names(gone)))
    return previews


def _same(before: Output | None, after: Output) -> bool:
    return before is not None and before.content == after.content


def _names(keys: Sequence[OutputKey]) -> tuple[str, ...]:
    return tuple(f"{key.type} {key.name}" for key in sorted(keys))

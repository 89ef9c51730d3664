"""Manifests as they stand in the store, followed: each change makes the next world."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import structlog

from mesh_cp.catalog import Edit
from mesh_cp.catalog.records import RESOURCES_PREFIX, item_of, resource_key_of
from mesh_cp.model import Workload, World, build, with_workloads
from mesh_cp.model.build import entry_id, written_workload
from mesh_cp.push.proxies import ID_PREFIX
from mesh_cp.push.pusher import Pusher
from mesh_cp.push.registrations import GRACE_S
from mesh_cp.resources import Key, Resource, from_document
from mesh_cp.store import CompactedError, Entry, Store, StoreClosedError, StoreError

log = structlog.get_logger("hopmesh")

RETRY_S = 0.5
WORKLOAD_ENTRY = "WorkloadEntry"


class Followed:
    """The resources of a store by their keys, and the pusher that is told of each change of them."""

    def __init__(self, store: Store, grace_s: float = GRACE_S) -> None:
        self._store, self._grace_s = store, grace_s
        self._resources: dict[Key, Resource] = {}
        self._revision = 0
        self.pusher: Pusher

    async def start(self) -> Pusher:
        """Read all that there is, workloads too. Raises StoreError."""
        await self._read()
        self.pusher = Pusher(self._store, build(()), self._revision, self._grace_s)
        workloads = await self.pusher.registrations.load()
        self._tell(build(self._resources.values(), workloads.values()))
        return self.pusher

    async def _read(self) -> None:
        listing = await self._store.list(RESOURCES_PREFIX)
        self._resources = {}
        for entry in listing.entries:
            self._take(entry)
        self._revision = listing.revision

    async def run(self) -> None:
        """Follow the store until that is closed."""
        while True:
            try:
                await self._follow()
            except StoreClosedError:
                return
            except StoreError as error:
                log.error("the store cannot be followed", reason=str(error))
            except Exception:
                # What was applied is kept, and its next change may be one that can be followed.
                log.exception("manifests cannot be followed")
            await asyncio.sleep(RETRY_S)

    async def _follow(self) -> None:
        try:
            async with self._store.watch(RESOURCES_PREFIX, self._revision + 1) as watch:
                async for changes in watch:
                    self._revision = changes.revision
                    keys = [resource_key_of(event.key) for event in changes.events]
                    for key, event in zip(keys, changes.events, strict=True):
                        self._resources.pop(key, None)
                        if event.entry is not None:
                            self._take(event.entry)
                    self._tell(self._next_world(keys))
        except CompactedError:
            await self._read()
            self._tell(self._world(self._resources.values()))

    def _tell(self, world: World) -> None:
        self.pusher.change_manifests(world, self._revision)
        log.info("world", resources=len(self._resources), services=len(world.services), revision=self._revision)

    def _next_world(self, keys: Iterable[Key]) -> World:
        """The world after these resources have changed. Workloads that are written down are changed as others are, at a
        cost that does not grow with the mesh."""
        changes: dict[str, Workload | None] = {}
        for key in keys:
            if key.kind != WORKLOAD_ENTRY:
                return self._world(self._resources.values())
            resource = self._resources.get(key)
            changes[entry_id(key)] = None if resource is None else written_workload(resource)
        return with_workloads(self.pusher.world, changes)

    def _registered(self) -> list[Workload]:
        return [each for each in self.pusher.world.workloads.values() if each.id.startswith(ID_PREFIX)]

    def _world(self, resources: Iterable[Resource]) -> World:
        return build(resources, self._registered())

    def world_with(self, edits: Iterable[Edit]) -> World:
        """The world that there would be after these edits."""
        resources = dict(self._resources)
        for edit in edits:
            before = resources.pop(edit.key, None)
            if edit.after is not None:
                created = self._revision + 1 if before is None else before.created
                for resource in from_document(edit.after, edit.source, created).resources:
                    resources[resource.key] = resource
        return self._world(resources.values())

    def _take(self, entry: Entry) -> None:
        item = item_of(entry)
        loaded = from_document(item.document, item.source, item.create_revision)
        for resource in loaded.resources:
            self._resources[resource.key] = resource
        for fault in loaded.errors:
            # It was good when it was applied: another version of hopmesh has written it.
            log.error("manifest not used", key=entry.key, path=fault.path, reason=fault.message)

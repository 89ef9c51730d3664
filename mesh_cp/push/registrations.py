"""The workloads that proxies have registered.

They are written to the store, so that a control plane that starts again knows them before their proxies have come back,
and takes no endpoint away meanwhile. A proxy that is gone without a word has `grace_s` to come back; then its workloads
go. One that takes leave takes them along at once.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated

import msgspec
import structlog
from msgspec import Meta, Struct

from mesh_core.channel.messages import Name, WorkloadInfo
from mesh_cp.model import Workload
from mesh_cp.push.proxies import workloads_of
from mesh_cp.store import Delete, Operation, Put, Store, StoreClosedError, StoreError
from mesh_cp.store.interface import VALUE_LIMIT_BYTES

log = structlog.get_logger("hopmesh")

PREFIX = "workloads/"
GRACE_S = 15.0
"""More than the longest time after which a proxy tries again to find its control plane."""
RETRY_S = 1.0
CLOSE_TIMEOUT_S = 3.0
BATCH_BYTES = 4 << 20

Changed = Callable[[Mapping[str, Workload | None]], None]
"""Takes workloads by their ids; None: it is gone."""


class Registration(Struct, frozen=True, kw_only=True):
    """What one proxy has registered. `place`: region/zone/sub_zone."""

    node: Name
    place: Annotated[str, Meta(max_length=400)] = ""
    workloads: tuple[WorkloadInfo, ...] = ()


class Registrations:
    """Of each node what it has registered. Everything runs on the loop."""

    def __init__(self, store: Store, changed: Changed, grace_s: float = GRACE_S) -> None:
        self._store, self._changed, self._grace_s = store, changed, grace_s
        self._by_node: dict[str, Registration] = {}
        self._waiting: dict[str, asyncio.TimerHandle] = {}
        self._unwritten: dict[str, None] = {}
        self._writing: asyncio.Task[None] | None = None

    async def load(self) -> dict[str, Workload]:
        """What the store has, of proxies that have the time of grace to come back. Raises StoreError."""
        found: dict[str, Workload] = {}
        for entry in (await self._store.list(PREFIX)).entries:
            try:
                registration = msgspec.msgpack.decode(entry.value, type=Registration)
            except msgspec.DecodeError as error:
                log.error("registration not used", key=entry.key, reason=str(error))
                continue
            self._by_node[registration.node] = registration
            found.update(workloads_of(registration.node, registration.place, registration.workloads))
            self.away(registration.node)
        return found

    @property
    def away_nodes(self) -> Iterable[str]:
        """The proxies that have the time of grace to come back."""
        return self._waiting.keys()

    def here(self, node: str) -> None:
        """The node has come, or come back: what it had registered stays."""
        waiting = self._waiting.pop(node, None)
        if waiting is not None:
            waiting.cancel()

    def register(self, node: str, place: str, workloads: tuple[WorkloadInfo, ...]) -> None:
        """The node is there, and these are all its workloads."""
        self.here(node)
        self._set(Registration(node=node, place=place, workloads=workloads))

    def away(self, node: str) -> None:
        """Its connection has ended."""
        if node in self._by_node and node not in self._waiting:
            loop = asyncio.get_running_loop()
            self._waiting[node] = loop.call_later(self._grace_s, self._give_up, node)

    def _give_up(self, node: str) -> None:
        log.warning("workloads of a proxy that is gone", node=node, after_s=self._grace_s)
        self.register(node, "", ())

    def _set(self, after: Registration) -> None:
        node = after.node
        before = self._by_node.get(node, Registration(node=node))
        if after.workloads:
            self._by_node[node] = after
        else:
            self._by_node.pop(node, None)
        if after == before:
            return
        old = workloads_of(node, before.place, before.workloads)
        new = workloads_of(node, after.place, after.workloads)
        changes: dict[str, Workload | None] = {id: None for id in old if id not in new}
        changes.update({id: each for id, each in new.items() if old.get(id) != each})
        if changes:
            self._changed(changes)
        self._unwritten[node] = None
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write())

    # --- in the store ---

    async def _write(self) -> None:
        """Write what has changed, as much at once as there is; the proxies need not wait for it."""
        try:
            while self._unwritten:
                operations = self._due()
                try:
                    await self._store.transact(list(operations.values()))
                except StoreClosedError:
                    return
                except StoreError as error:
                    log.error("registrations not written", reason=str(error))
                    self._unwritten.update(dict.fromkeys(operations))
                    await asyncio.sleep(RETRY_S)
        finally:
            self._writing = None

    def _due(self) -> dict[str, Operation]:
        """The next changes to write, by node."""
        operations: dict[str, Operation] = {}
        size = 0
        while self._unwritten and size < BATCH_BYTES:
            node = next(iter(self._unwritten))
            del self._unwritten[node]
            value = msgspec.msgpack.encode(self._by_node[node]) if node in self._by_node else b""
            if len(value) > VALUE_LIMIT_BYTES:
                # It is known all the same, but for a control plane that starts again.
                log.error("registration not written", node=node, reason=f"larger than {VALUE_LIMIT_BYTES} bytes")
                value = b""
            operations[node] = Put(_key(node), value) if value else Delete(_key(node))
            size += len(value)
        return operations

    async def close(self) -> None:
        """Write what is unwritten, and forget the times of grace: they begin anew with the next start."""
        for waiting in self._waiting.values():
            waiting.cancel()
        self._waiting.clear()
        if self._writing is not None:
            await asyncio.wait([self._writing], timeout=CLOSE_TIMEOUT_S)
        if self._writing is not None:
            self._writing.cancel()


def _key(node: str) -> str:
    """Where a node's registration stands: its name may be of any characters, those of a key are few."""
    return PREFIX + hashlib.blake2b(node.encode(), digest_size=16).hexdigest()

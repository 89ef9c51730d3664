"""Reading and changing what operators have applied. One change at a time, each all or nothing.

The number of the last change is compared in every transaction, so that whatever was planned is done to exactly the
state that it was planned on, also with other control planes on the same store.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

from msgspec import Struct

from mesh_cp.catalog import planning, records
from mesh_cp.catalog.errors import BusyError, HistoryError, SizeError
from mesh_cp.catalog.records import Change, ChangeAction, Document, Edit, Item
from mesh_cp.resources import Key, Resource
from mesh_cp.store import Compare, Delete, Operation, Put, Store

EDIT_LIMIT = 20_000
"""Resources that one change may touch."""
CHANGES_KEPT = 1000
CHANGES_KEPT_BYTES = 256 << 20

_KEYS_SHOWN = 5
_ATTEMPTS = 5
_FEW = 20
"""More resources than these are read by one list, and worked on off the loop's thread."""


_T = TypeVar("_T")


class Result(Struct, frozen=True):
    """What a change did, or would do: `change` is None then, and where there was nothing to do."""

    edits: tuple[Edit, ...]
    revision: int
    change: Change | None = None


class Listed(Struct, frozen=True):
    """Resources, as of one revision."""

    revision: int
    items: tuple[Item, ...]


class Catalog:
    """The resources in one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._changing = asyncio.Lock()

    # --- reading ---

    async def resources(self, kind: str = "", namespace: str = "", name: str = "") -> Listed:
        """The resources of a kind, of a namespace, of a name; empty for all."""
        parts = [kind, namespace] if kind and namespace else [kind] if kind else []
        listing = await self._store.list(records.RESOURCES_PREFIX + "".join(f"{part}/" for part in parts))

        def chosen() -> tuple[Item, ...]:
            items = (records.item_of(entry) for entry in listing.entries)
            return tuple(
                item
                for item in items
                if (not namespace or item.key.namespace == namespace) and (not name or item.key.name == name)
            )

        return Listed(listing.revision, await _aside(len(listing.entries), chosen))

    async def changes(self, key: Key | None = None, limit: int = CHANGES_KEPT) -> tuple[Change, ...]:
        """The newest changes, newest first; with `key`, those that touched that resource."""
        listing = await self._store.list(records.CHANGES_PREFIX)
        found: list[Change] = []
        for entry in reversed(listing.entries):
            if len(found) == limit:
                break
            change = records.change_of(entry)
            if key is None or await self._store.get(records.edit_key(change.number, key)) is not None:
                found.append(change)
        return tuple(found)

    async def edits(self, number: int) -> tuple[Change, tuple[Edit, ...]]:
        """A change with all its edits. Raises HistoryError."""
        entry = await self._store.get(records.change_key(number)) if number > 0 else None
        if entry is None:
            raise HistoryError(f"history has no change {number}")
        listing = await self._store.list(records.edits_prefix(number))
        return records.change_of(entry), tuple(records.edit_of(each) for each in listing.entries)

    # --- changing ---

    async def apply(self, resources: Sequence[Resource], author: str, *, dry_run: bool = False) -> Result:
        """Have all of `resources` there. Raises CatalogError, StoreError."""

        async def plan() -> list[Edit]:
            current = await self._current([resource.key for resource in resources])
            return await _aside(len(resources), lambda: planning.to_apply(current, resources))

        return await self._change("apply", plan, author, dry_run)

    async def delete(
        self, keys: Sequence[Key], author: str, *, missing_ok: bool = False, dry_run: bool = False
    ) -> Result:
        """Have none of `keys` there. Raises CatalogError, StoreError."""

        async def plan() -> list[Edit]:
            return planning.to_delete(await self._current(keys), keys, missing_ok=missing_ok)

        return await self._change("delete", plan, author, dry_run)

    async def rollback(self, to: int, author: str, *, dry_run: bool = False) -> Result:
        """Have all as it was after the change `to`; 0 is before the first. Raises CatalogError, StoreError."""

        async def plan() -> list[Edit]:
            wanted = await self._state_after(to)
            current = await self._current(list(wanted))
            return await _aside(len(wanted), lambda: planning.to_restore(current, wanted, f"change {to}"))

        return await self._change("rollback", plan, author, dry_run, to)

    async def _change(
        self,
        action: ChangeAction,
        plan: Callable[[], Awaitable[Sequence[Edit]]],
        author: str,
        dry_run: bool,
        to: int | None = None,
    ) -> Result:
        async with self._changing:
            for _ in range(_ATTEMPTS):
                number, number_revision = await self._last_number()
                edits = tuple(await plan())
                if len(edits) > EDIT_LIMIT:
                    raise SizeError(f"a change of more than {EDIT_LIMIT} resources: apply it in parts")
                if dry_run or not edits:
                    return Result(edits, await self._store.revision())
                change, operations = await _aside(
                    len(edits), partial(_recorded, number + 1, action, edits, author, to)
                )
                operations += await self._forgotten(change.size_bytes)
                compare = Compare.unchanged(records.NUMBER_KEY, number_revision)
                outcome = await self._store.transact(operations, [compare])
                if outcome.succeeded:
                    return Result(edits, outcome.revision, change)
            raise BusyError("others change the catalog all the time: try again")

    async def _last_number(self) -> tuple[int, int]:
        entry = await self._store.get(records.NUMBER_KEY)
        return (0, 0) if entry is None else (int(entry.value), entry.revision)

    async def _current(self, keys: Sequence[Key]) -> dict[Key, Item]:
        if len(keys) > _FEW:
            entries = (await self._store.list(records.RESOURCES_PREFIX)).entries
        else:
            found = [await self._store.get(records.resource_key(key)) for key in keys]
            entries = tuple(entry for entry in found if entry is not None)
        items = await _aside(len(entries), lambda: [records.item_of(entry) for entry in entries])
        return {item.key: item for item in items}

    async def _state_after(self, to: int) -> dict[Key, Document | None]:
        """Of each resource that was touched since the change `to`, its document then. Raises HistoryError."""
        last, _ = await self._last_number()
        if not 0 <= to <= last:
            raise HistoryError(f"there is no change {to}; the last one is {last}")
        since: list[Edit] = []
        for number in range(to + 1, last + 1):
            _, edits = await self.edits(number)
            since += edits
        return planning.before_all(since)

    async def _forgotten(self, added_bytes: int) -> list[Operation]:
        """What goes, so that history stays within its bounds."""
        changes = await self.changes()
        operations: list[Operation] = []
        total = added_bytes
        for count, change in enumerate(changes, 2):
            total += change.size_bytes
            if count > CHANGES_KEPT or total > CHANGES_KEPT_BYTES:
                operations.append(Delete(records.change_key(change.number)))
                operations.append(Delete(records.edits_prefix(change.number), is_prefix=True))
        return operations


def _described(number: int, action: ChangeAction, edits: Sequence[Edit], author: str, to: int | None) -> Change:
    actions = [edit.action for edit in edits]
    return Change(
        number=number,
        time_ms=time.time_ns() // 1_000_000,
        author=author,
        action=action,
        created=actions.count("created"),
        configured=actions.count("configured"),
        deleted=actions.count("deleted"),
        keys=tuple(edit.key for edit in edits[:_KEYS_SHOWN]),
        size_bytes=sum(len(records.encoded_edit(edit)) for edit in edits),
        to=to,
    )


async def _aside(count: int, work: Callable[[], _T]) -> _T:
    """Do what is about `count` resources; if they are many, so that the loop goes on meanwhile."""
    if count <= _FEW:
        return work()
    return await asyncio.get_running_loop().run_in_executor(None, work)


def _recorded(
    number: int, action: ChangeAction, edits: Sequence[Edit], author: str, to: int | None
) -> tuple[Change, list[Operation]]:
    """A change, and what puts it into the store. Raises SizeError."""
    change = _described(number, action, edits, author, to)
    return change, _operations(change, edits)


def _operations(change: Change, edits: Sequence[Edit]) -> list[Operation]:
    operations: list[Operation] = [
        Put(records.NUMBER_KEY, str(change.number).encode()),
        Put(records.change_key(change.number), records.encoded_change(change)),
    ]
    for edit in edits:
        key = records.resource_key(edit.key)
        operations.append(Delete(key) if edit.after is None else Put(key, records.encoded_resource(edit)))
        operations.append(Put(records.edit_key(change.number, edit.key), records.encoded_edit(edit)))
    return operations

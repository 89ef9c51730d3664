"""Requests that change nothing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator

from mesh_core._version import __version__
from mesh_cp.api.kind_names import KindError, kind_named
from mesh_cp.api.messages import (
    ChangeDetailReply,
    DescribeReply,
    EditReply,
    HistoryReply,
    ItemReply,
    ItemsReply,
    ProxiesReply,
    VersionReply,
    WatchEvent,
)
from mesh_cp.api.queries import Query, number, only
from mesh_cp.api.refusals import ENCODER, RefusedError
from mesh_cp.catalog import RESOURCES_PREFIX, Catalog, Item, item_of
from mesh_cp.catalog.catalog import CHANGES_KEPT
from mesh_cp.catalog.records import resource_key_of
from mesh_cp.propagation import Propagation
from mesh_cp.resources import DEFAULT_NAMESPACE, Key, from_document
from mesh_cp.store import Event, Store, StoreError

BOOKMARK_INTERVAL_S = 15.0
"""How often a watch says how far it has come; so it notices also that nobody reads any more."""

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")


class Reading:
    """Answers from the store."""

    def __init__(self, store: Store, catalog: Catalog, propagation: Propagation) -> None:
        self._store = store
        self._catalog = catalog
        self._propagation = propagation

    async def version(self, query: Query) -> VersionReply:
        """Which program this is, and how far its store is."""
        only(query)
        return VersionReply(__version__, await self._store.revision())

    async def resources(self, query: Query) -> ItemsReply:
        """Those of a kind, of a namespace, of a name; all of them by default. Raises RefusedError, StoreError."""
        only(query, "kind", "namespace", "name")
        kind = _kind(query["kind"]) if query.get("kind") else ""
        namespace, name = (_name(query.get(part, ""), part) for part in ("namespace", "name"))
        listed = await self._catalog.resources(kind, namespace, name)
        return ItemsReply(listed.revision, tuple(_item_reply(item) for item in listed.items))

    async def describe(self, query: Query) -> DescribeReply:
        """One resource, and its history. Raises RefusedError, StoreError."""
        only(query, "kind", "namespace", "name")
        key = _key(query)
        items = (await self._catalog.resources(key.kind, key.namespace, key.name)).items
        if not items:
            raise RefusedError(404, "not_found", f"not there: {key}")
        (item,) = items
        loaded = from_document(item.document, item.source, item.create_revision)
        problems = tuple(self._propagation.problems(key))
        return DescribeReply(_item_reply(item), loaded.faults, await self._catalog.changes(key), problems)

    async def history(self, query: Query) -> HistoryReply:
        """Changes, newest first; with a kind and a name, of that resource. Raises RefusedError, StoreError."""
        only(query, "kind", "namespace", "name", "limit")
        key = _key(query) if "kind" in query or "name" in query else None
        limit = number(query, "limit", CHANGES_KEPT)
        return HistoryReply(await self._catalog.changes(key, limit))

    async def change(self, query: Query) -> ChangeDetailReply:
        """One change, whole. Raises RefusedError, HistoryError, StoreError."""
        only(query, "number")
        change, edits = await self._catalog.edits(number(query, "number", 0))
        return ChangeDetailReply(change, tuple(EditReply.of(edit, with_documents=True) for edit in edits))

    async def proxies(self, query: Query) -> ProxiesReply:
        """The proxies, and how far each has come."""
        only(query)
        return ProxiesReply(tuple(self._propagation.proxies()))

    async def watch(self, query: Query) -> AsyncGenerator[bytes, None]:
        """Changes of resources as they come, a line of JSON each. Raises RefusedError, CompactedError, StoreError.

        `from`: the first revision to tell of, by default the next one; what it was given of before is not told again.
        """
        only(query, "kind", "from")
        prefix = RESOURCES_PREFIX + (f"{_kind(query['kind'])}/" if query.get("kind") else "")
        first = number(query, "from", await self._store.revision() + 1)
        # What has been forgotten is refused before anything is answered.
        await self._store.history(prefix, first)
        return self._lines(prefix, first)

    async def _lines(self, prefix: str, first: int) -> AsyncGenerator[bytes, None]:
        async with self._store.watch(prefix, first) as watch:
            last = first - 1
            yield _line(WatchEvent(revision=last))
            while True:
                try:
                    changes = await asyncio.wait_for(anext(watch), BOOKMARK_INTERVAL_S)
                except TimeoutError:
                    yield _line(WatchEvent(revision=last))
                except StoreError as error:
                    yield _line(WatchEvent(revision=0, error=str(error)))
                    return
                else:
                    last = changes.revision
                    yield b"".join(_line(_event(event, last)) for event in changes.events)


def checked_key(key: Key) -> Key:
    """A key that a request names, its kind by any of its names. Raises RefusedError."""
    return Key(_kind(key.kind), _name(key.namespace, "namespace") or DEFAULT_NAMESPACE, _required(key.name))


def _item_reply(item: Item) -> ItemReply:
    return ItemReply(item.key, item.versioned, item.source, item.line, item.create_revision, item.revision)


def _event(event: Event, revision: int) -> WatchEvent:
    document = None if event.entry is None else item_of(event.entry).versioned
    return WatchEvent(revision=revision, key=resource_key_of(event.key), document=document)


def _line(event: WatchEvent) -> bytes:
    return ENCODER.encode(event) + b"\n"


def _key(query: Query) -> Key:
    return checked_key(Key(query.get("kind", ""), query.get("namespace", ""), query.get("name", "")))


def _kind(name: str) -> str:
    try:
        return kind_named(name)
    except KindError as error:
        raise RefusedError(400, "bad_request", str(error)) from error


def _name(name: str, what: str) -> str:
    if name and not _NAME.fullmatch(name):
        raise RefusedError(400, "bad_request", f"no {what} of a resource: {name[:100]!r}")
    return name


def _required(name: str) -> str:
    if not name:
        raise RefusedError(400, "bad_request", "the name of the resource is missing")
    return _name(name, "name")

"""Queries, each within one read transaction of whoever calls. Runs on the threads that read and write."""

from __future__ import annotations

import sqlite3
from itertools import groupby

from mesh_cp.store.errors import CompactedError, FutureRevisionError
from mesh_cp.store.interface import Changes, Entry, Event, Listing, Page

PAGE_ROWS = 1000
"""As many changes as a page of history looks at, and then the rest of the revision that it has come to."""

_COLUMNS = "key, value, create_revision, revision, version, lease"
_AFTER_ALL_KEYS = "\x7f"


def end_of(prefix: str) -> str:
    """What sorts behind every key that begins with `prefix`, and before all others that do."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1) if prefix else _AFTER_ALL_KEYS


def meta(connection: sqlite3.Connection, name: str) -> int:
    """A number that the store keeps of itself."""
    return int(connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()[0])


def get(connection: sqlite3.Connection, key: str, revision: int | None = None) -> Entry | None:
    """The entry of a key, as of `revision` or now. Raises CompactedError, FutureRevisionError."""
    if revision is None:
        query = f"SELECT {_COLUMNS} FROM history WHERE id = (SELECT id FROM live WHERE key = ?)"
        row = connection.execute(query, (key,)).fetchone()
    else:
        _check_revision(connection, revision)
        query = f"SELECT {_COLUMNS} FROM history WHERE key = ? AND revision <= ? ORDER BY revision DESC LIMIT 1"
        row = connection.execute(query, (key, revision)).fetchone()
    return None if row is None or row[1] is None else Entry(*row)


def listing(connection: sqlite3.Connection, prefix: str, revision: int | None) -> Listing:
    """What begins with `prefix`, as of `revision` or now. Raises CompactedError, FutureRevisionError."""
    bounds = (prefix, end_of(prefix))
    if revision is None:
        query = (
            f"SELECT {', '.join(f'history.{each}' for each in _COLUMNS.split(', '))} FROM live JOIN history USING (id) "
            "WHERE live.key >= ? AND live.key < ? ORDER BY live.key"
        )
        rows = connection.execute(query, bounds)
        return Listing(meta(connection, "revision"), tuple(Entry(*row) for row in rows))
    _check_revision(connection, revision)
    query = (
        f"SELECT {_COLUMNS} FROM history WHERE value IS NOT NULL AND id IN "
        "(SELECT max(id) FROM history WHERE key >= ? AND key < ? AND revision <= ? GROUP BY key) ORDER BY key"
    )
    rows = connection.execute(query, (*bounds, revision))
    return Listing(revision, tuple(Entry(*row) for row in rows))


def page(connection: sqlite3.Connection, prefix: str, first_revision: int) -> Page:
    """The next changes under `prefix`. Raises CompactedError."""
    compacted = meta(connection, "compact_revision")
    if first_revision < compacted:
        raise CompactedError(first_revision, compacted)
    query = "SELECT revision FROM history WHERE revision >= ? ORDER BY revision LIMIT 1 OFFSET ?"
    row = connection.execute(query, (first_revision, PAGE_ROWS)).fetchone()
    last = meta(connection, "revision") if row is None else row[0]
    query = (
        f"SELECT {_COLUMNS} FROM history WHERE revision BETWEEN ? AND ? AND key >= ? AND key < ? ORDER BY id"
    )
    rows = connection.execute(query, (first_revision, last, prefix, end_of(prefix)))
    changes = tuple(
        Changes(revision, tuple(Event(each[0], None if each[1] is None else Entry(*each)) for each in group))
        for revision, group in groupby(rows, key=lambda each: each[3])
    )
    return Page(changes, max(last + 1, first_revision))


def _check_revision(connection: sqlite3.Connection, revision: int) -> None:
    compacted, current = meta(connection, "compact_revision"), meta(connection, "revision")
    if revision < compacted:
        raise CompactedError(revision, compacted)
    if revision > current:
        raise FutureRevisionError(revision, current)

"""Forgetting history: told at once, done a little with every commit, so that no commit waits for long.

A row goes when a newer one of its key stands at or before the compacted revision, or when it says that the key was
deleted; rows of the compacted revision itself stay.
"""

from __future__ import annotations

import sqlite3

from mesh_cp.store.errors import CompactedError, FutureRevisionError
from mesh_cp.store.sqlite.reading import meta

SWEEP_ROWS = 200
"""Rows that one commit looks at; a control plane makes fewer changes with a commit than this, nearly always."""


def begin(connection: sqlite3.Connection, revision: int, current: int) -> None:
    """From now on there is nothing before `revision`. Raises CompactedError, FutureRevisionError."""
    compacted = meta(connection, "compact_revision")
    if revision < compacted:
        raise CompactedError(revision, compacted)
    if revision > current:
        raise FutureRevisionError(revision, current)
    connection.execute("UPDATE meta SET value = ? WHERE name = 'compact_revision'", (revision,))


def go_on(connection: sqlite3.Connection, keep_from: int) -> None:
    """Delete some rows that are forgotten, and see to it that what was before `keep_from` will be."""
    compacted = meta(connection, "compact_revision")
    if compacted < keep_from:
        begin(connection, keep_from, keep_from)
        compacted = keep_from
    swept = meta(connection, "swept_revision")
    if swept >= compacted - 1:
        return
    # Whole revisions only, so that one number tells how far this has come.
    query = "SELECT revision FROM history WHERE revision > ? AND revision < ? ORDER BY revision LIMIT 1 OFFSET ?"
    row = connection.execute(query, (swept, compacted, SWEEP_ROWS)).fetchone()
    last = compacted - 1 if row is None else row[0]
    query = "SELECT key, revision FROM history WHERE revision > ? AND revision <= ? ORDER BY id"
    for key, revision in connection.execute(query, (swept, last)).fetchall():
        connection.execute("DELETE FROM history WHERE key = ? AND revision < ?", (key, revision))
        connection.execute("DELETE FROM history WHERE key = ? AND revision = ? AND value IS NULL", (key, revision))
    connection.execute("UPDATE meta SET value = ? WHERE name = 'swept_revision'", (last,))

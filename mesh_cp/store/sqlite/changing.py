"""What changes the store: transactions and leases, on the thread that writes, within its transaction of SQLite.

Every check comes before the first change, so that what raises a StoreError has changed nothing.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Sequence

from mesh_cp.store.errors import LeaseNotFoundError
from mesh_cp.store.interface import Changes, Compare, Delete, Entry, Event, Lease, Operation, Outcome, Put, holds
from mesh_cp.store.sqlite import compaction
from mesh_cp.store.sqlite.reading import end_of, get, meta


class Ledger:
    """The store's newest state, and what has changed since the last commit."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.revision = meta(connection, "revision")
        self.changes: list[Changes] = []
        """Those that are not committed yet."""

    def transact(self, operations: Sequence[Operation], compares: Sequence[Compare]) -> Outcome:
        """Do all or nothing; both have been checked for their bounds. Raises LeaseNotFoundError."""
        if not all(holds(compare, get(self.connection, compare.key)) for compare in compares):
            return Outcome(False, self.revision)
        for lease in {operation.lease for operation in operations if isinstance(operation, Put)} - {0}:
            self._check_lease(lease)
        self._change(operations)
        return Outcome(True, self.revision)

    def grant(self, ttl_ms: int) -> Lease:
        """Make a lease."""
        lease = Lease(secrets.randbits(62) + 1, ttl_ms)
        self.connection.execute("INSERT INTO lease VALUES (?, ?)", (lease.id, ttl_ms))
        return lease

    def revoke(self, lease: int) -> None:
        """End a lease, and delete its keys. Raises LeaseNotFoundError."""
        self._check_lease(lease)
        rows = self.connection.execute("SELECT key FROM live WHERE lease = ? AND lease != 0 ORDER BY key", (lease,))
        self._change([Delete(key) for (key,) in rows.fetchall()])
        self.connection.execute("DELETE FROM lease WHERE id = ?", (lease,))

    def leases(self) -> list[Lease]:
        """All that there are."""
        return [Lease(*row) for row in self.connection.execute("SELECT id, ttl_ms FROM lease")]

    def compact(self, revision: int) -> None:
        """Forget what was before `revision`. Raises CompactedError, FutureRevisionError."""
        compaction.begin(self.connection, revision, self.revision)

    def before_commit(self, revisions_kept: int) -> None:
        """Write down the revision, and do a little of what compaction has left to do."""
        if self.changes:
            self.connection.execute("UPDATE meta SET value = ? WHERE name = 'revision'", (self.revision,))
        compaction.go_on(self.connection, self.revision - revisions_kept)

    def take_changes(self) -> list[Changes]:
        """What has been committed now."""
        taken, self.changes = self.changes, []
        return taken

    def forget(self) -> None:
        """The transaction of SQLite was rolled back."""
        self.changes = []
        self.revision = meta(self.connection, "revision")

    def _change(self, operations: Sequence[Operation]) -> None:
        revision = self.revision + 1
        events: list[Event] = []
        for operation in operations:
            if isinstance(operation, Put):
                events.append(self._put(operation, revision))
            else:
                events += [self._delete(key, revision) for key in self._keys(operation)]
        if events:
            self.revision = revision
            self.changes.append(Changes(revision, tuple(events)))

    def _keys(self, delete: Delete) -> list[str]:
        end = end_of(delete.key) if delete.is_prefix else delete.key + "\0"
        query = "SELECT key FROM live WHERE key >= ? AND key < ? ORDER BY key"
        return [key for (key,) in self.connection.execute(query, (delete.key, end))]

    def _put(self, put: Put, revision: int) -> Event:
        query = (
            "SELECT create_revision, version FROM history WHERE id = (SELECT id FROM live WHERE key = ?)"
        )
        created, version = self.connection.execute(query, (put.key,)).fetchone() or (revision, 0)
        entry = Entry(put.key, put.value, created, revision, version + 1, put.lease)
        row = self._record(entry, entry.value)
        query = "INSERT OR REPLACE INTO live VALUES (?, ?, ?)"
        self.connection.execute(query, (put.key, row, put.lease))
        return Event(put.key, entry)

    def _delete(self, key: str, revision: int) -> Event:
        self._record(Entry(key, b"", 0, revision, 0), None)
        self.connection.execute("DELETE FROM live WHERE key = ?", (key,))
        return Event(key, None)

    def _record(self, entry: Entry, value: bytes | None) -> int:
        query = (
            "INSERT INTO history (revision, key, value, create_revision, version, lease) VALUES (?, ?, ?, ?, ?, ?)"
        )
        row = self.connection.execute(
            query, (entry.revision, entry.key, value, entry.create_revision, entry.version, entry.lease)
        ).lastrowid
        assert row is not None
        return row

    def _check_lease(self, lease: int) -> None:
        if self.connection.execute("SELECT 1 FROM lease WHERE id = ?", (lease,)).fetchone() is None:
            raise LeaseNotFoundError(lease)

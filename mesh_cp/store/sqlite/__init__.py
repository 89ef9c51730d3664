"""The embedded store: SQLite in WAL mode, one thread that writes, one that reads, none of them the loop's.

    store.py       the Store                      database.py   the file: opened, checked, locked
    writer.py      the thread that writes         changing.py   what it does: transactions, leases
    reading.py     queries at a revision          compaction.py forgetting, a little at a time
    leases.py      when leases expire             watching.py   watches
"""

from mesh_cp.store.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]

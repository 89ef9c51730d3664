"""The store's folder: one process at a time, one SQLite file in it, opened so that what is committed stays.

WAL with `synchronous=FULL` syncs the log before a commit returns: what was acknowledged outlives kill -9 and, where
the disk keeps what it says it has written, a power cut.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from pathlib import Path

from mesh_cp.store.errors import StoreOpenError

FILE_NAME = "store.db"
LOCK_NAME = "lock"
APPLICATION_ID = 0x686F706D
"""Marks the file as ours: "hopm"."""
SCHEMA_VERSION = 1

# `history` has a row for each change of a key, its value NULL where that deleted it; ids are in the order of changes.
# `live` points to the row of each key that there is now.
_SCHEMA = f"""
CREATE TABLE history (
    id INTEGER PRIMARY KEY,
    revision INTEGER NOT NULL,
    key TEXT NOT NULL,
    value BLOB,
    create_revision INTEGER NOT NULL,
    version INTEGER NOT NULL,
    lease INTEGER NOT NULL
);
CREATE UNIQUE INDEX history_by_key ON history (key, revision);
CREATE INDEX history_by_revision ON history (revision);
CREATE TABLE live (key TEXT PRIMARY KEY, id INTEGER NOT NULL, lease INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX live_by_lease ON live (lease) WHERE lease != 0;
CREATE TABLE lease (id INTEGER PRIMARY KEY, ttl_ms INTEGER NOT NULL);
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES ('revision', 1), ('compact_revision', 0), ('swept_revision', 0);
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
"""


class Folder:
    """The folder, held against other processes until it is closed."""

    def __init__(self, path: Path) -> None:
        """Makes it if it is not there. Raises StoreOpenError."""
        self.path = path
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(path / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreOpenError(f"{path} cannot be used: {error.strerror}") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._lock, 20).decode("ascii", "replace").strip()
            os.close(self._lock)
            raise StoreOpenError(f"{path} is in use by another control plane (process {holder or 'unknown'})") from None
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)

    @property
    def file(self) -> Path:
        """The database."""
        return self.path / FILE_NAME

    def sync(self) -> None:
        """Make names that were added to the folder durable, and the folder's own with those above it."""
        path = self.path.absolute()
        for folder in (path, *path.parents):
            try:
                descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            except PermissionError:
                # Not ours to read, so not made by us.
                continue
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def close(self) -> None:
        """Let other processes have it."""
        os.close(self._lock)


def open_writable(folder: Folder) -> sqlite3.Connection:
    """The connection that writes; makes the schema in a new file. Raises StoreOpenError."""
    try:
        # Readable for nobody else from the start: SQLite gives its log the file's permissions.
        os.close(os.open(folder.file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        connection = _connect(folder.file)
    except (sqlite3.Error, OSError) as error:
        raise StoreOpenError(f"{folder.file} cannot be opened: {error}") from error
    try:
        _prepare(connection, folder)
    except (sqlite3.Error, OSError) as error:
        connection.close()
        raise StoreOpenError(f"{folder.file} cannot be used: {error}") from error
    except StoreOpenError:
        connection.close()
        raise
    return connection


def open_readable(folder: Folder) -> sqlite3.Connection:
    """A connection that only reads. Raises sqlite3.Error."""
    connection = _connect(folder.file)
    connection.execute("PRAGMA query_only = ON")
    return connection


def _connect(file: Path) -> sqlite3.Connection:
    # A connection is used by one thread, but closed by another once that has ended.
    connection = sqlite3.connect(file, timeout=5.0, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _prepare(connection: sqlite3.Connection, folder: Folder) -> None:
    application, version = _pragma(connection, "application_id"), _pragma(connection, "user_version")
    is_new = not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if not is_new and application != APPLICATION_ID:
        raise StoreOpenError(f"{folder.file} is a database of another program")
    if not is_new and version != SCHEMA_VERSION:
        raise StoreOpenError(f"{folder.file} has schema version {version}, and this hopmesh knows {SCHEMA_VERSION}")
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise StoreOpenError(f"{folder.file} cannot have a write-ahead log: is {folder.path} on a local disk?")
    damage = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if damage != "ok":
        raise StoreOpenError(f"{folder.file} is damaged: {damage}")
    if is_new:
        with contextlib.closing(connection.cursor()) as cursor:
            cursor.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
        folder.sync()


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])

"""What the control plane keeps its state in: keys with revisions, transactions, leases, watches.

The semantics are etcd's, so that etcd can be a second implementation: each transaction that changes anything makes
one new revision of the whole store; what was is kept, readable and watchable, until it is compacted. Keys are text of
printable ASCII, ordered by their bytes; values are bytes.

Everything runs on the event loop's thread and never blocks it. A change whose caller is cancelled may yet happen.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from types import TracebackType
from typing import Any, Literal, Self

from msgspec import Struct

from mesh_cp.store.errors import LimitError

KEY_LIMIT = 1024
VALUE_LIMIT_BYTES = 3 << 19
"""1.5 MiB, what etcd takes of a request by default."""
OPERATION_LIMIT = 50_000
"""Operations and compares of one transaction. (etcd: 128, by default; its server has an option for more.)"""
TRANSACTION_LIMIT_BYTES = 64 << 20
TTL_LIMIT_MS = 24 * 3600 * 1000

_KEY = re.compile(r"[!-~]*")


class Entry(Struct, frozen=True):
    """A key with its value."""

    key: str
    value: bytes
    create_revision: int
    """The revision at which the key came to be; a deleted key that comes back begins anew."""
    revision: int
    """The revision of its last change (etcd: mod_revision)."""
    version: int
    """How often it has been put since it came to be, from 1."""
    lease: int = 0
    """The lease that it goes with; 0 for none."""


class Listing(Struct, frozen=True):
    """What was there at one revision, in the order of keys."""

    revision: int
    entries: tuple[Entry, ...]


class Event(Struct, frozen=True):
    """A change of one key; `entry` is None when it was deleted."""

    key: str
    entry: Entry | None


class Changes(Struct, frozen=True):
    """All that one revision changed, as far as it was asked for, in the order of the transaction."""

    revision: int
    events: tuple[Event, ...]


class Page(Struct, frozen=True):
    """A part of the history, and the revision to go on from: the current one plus 1 once there is no more."""

    changes: tuple[Changes, ...]
    next_revision: int


class Compare(Struct, frozen=True):
    """A condition of a transaction: what is known of `key` stands in that relation to `operand`.

    A key that is not there has revision, create_revision, version and lease 0, and no relation to any value.
    """

    key: str
    field: Literal["value", "revision", "create_revision", "version", "lease"]
    operator: Literal["==", "!=", "<", ">"]
    operand: int | bytes

    @classmethod
    def absent(cls, key: str) -> Compare:
        """The key is not there."""
        return cls(key, "create_revision", "==", 0)

    @classmethod
    def unchanged(cls, key: str, revision: int) -> Compare:
        """The last change of the key was at `revision`; with 0, the key is not there."""
        return cls(key, "revision", "==", revision)


class Put(Struct, frozen=True):
    """Sets a key, and ties it to a lease, or unties it."""

    key: str
    value: bytes
    lease: int = 0


class Delete(Struct, frozen=True):
    """Deletes a key, or all that begin with it. Deleting nothing is no change."""

    key: str
    is_prefix: bool = False


Operation = Put | Delete


class Outcome(Struct, frozen=True):
    """How a transaction ended. `revision`: the one it made, or the current one if it changed nothing."""

    succeeded: bool
    revision: int


class Lease(Struct, frozen=True):
    """What keys are tied to: unless it is kept alive, it expires after `ttl_ms` and they are deleted."""

    id: int
    ttl_ms: int


class Watch(AsyncIterator[Changes], ABC):
    """Changes as they come, whole revisions in order, none left out; `async with` ends it.

    Iterating raises CompactedError when the history it needs next has gone, StoreClosedError when the store is closed.
    """

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Ends it: whoever waits for its next change gets StopAsyncIteration."""


class Store(ABC):
    """A store. Methods raise StoreError, of the kinds that their words name and, any of them, those of a failure:
    StoreFailedError, StoreBusyError, StoreClosedError."""

    @abstractmethod
    async def revision(self) -> int:
        """The current revision: 1 before the first change, as etcd has it."""

    @abstractmethod
    async def get(self, key: str, revision: int | None = None) -> Entry | None:
        """The entry, now or as of `revision`; None if not there. Raises CompactedError, FutureRevisionError."""

    @abstractmethod
    async def list(self, prefix: str, revision: int | None = None) -> Listing:
        """All whose keys begin with `prefix`, now or as of `revision`. Raises CompactedError, FutureRevisionError."""

    @abstractmethod
    async def history(self, prefix: str, first_revision: int) -> Page:
        """The next changes under `prefix`, from a revision on. Raises CompactedError."""

    @abstractmethod
    async def transact(self, operations: Sequence[Operation], compares: Sequence[Compare] = ()) -> Outcome:
        """Does all of `operations` at one revision if all of `compares` hold, else nothing.

        When this returns, the change has been made durable. Raises LimitError, LeaseNotFoundError.
        """

    async def put(self, key: str, value: bytes, lease: int = 0) -> int:
        """Set one key; returns the revision. Raises as `transact` does."""
        return (await self.transact((Put(key, value, lease),))).revision

    async def delete(self, key: str) -> int:
        """Delete one key; returns the revision, the current one if it was not there."""
        return (await self.transact((Delete(key),))).revision

    @abstractmethod
    def watch(self, prefix: str, first_revision: int | None = None) -> Watch:
        """The changes under `prefix`, from a revision on; without one, those after this call."""

    @abstractmethod
    async def compact(self, revision: int) -> None:
        """Forget what was before `revision`. Raises CompactedError, FutureRevisionError."""

    @abstractmethod
    async def grant(self, ttl_ms: int) -> Lease:
        """A new lease, of at most `TTL_LIMIT_MS`. Raises LimitError."""

    @abstractmethod
    async def keep_alive(self, lease: int) -> None:
        """Let a lease live for its whole time from now on. Raises LeaseNotFoundError."""

    @abstractmethod
    async def revoke(self, lease: int) -> None:
        """End a lease and delete its keys, at one revision. Raises LeaseNotFoundError."""

    @abstractmethod
    async def close(self) -> None:
        """End it, watches included; changes that wait are done first."""


def check_key(key: str, *, is_prefix: bool = False) -> None:
    """Raise LimitError for what cannot be a key; a prefix may be empty, for all keys."""
    if len(key) > KEY_LIMIT or not _KEY.fullmatch(key) or not (key or is_prefix):
        raise LimitError(f"not a key: {key[:80]!r} (1 to {KEY_LIMIT} printable ASCII characters, no space)")


def check_transaction(operations: Sequence[Operation], compares: Sequence[Compare]) -> None:
    """Raise LimitError for a transaction that is out of bounds or that changes a key twice."""
    if len(operations) + len(compares) > OPERATION_LIMIT:
        raise LimitError(f"more than {OPERATION_LIMIT} operations and compares in a transaction")
    for compare in compares:
        check_key(compare.key)
        if isinstance(compare.operand, bytes) != (compare.field == "value"):
            kind = type(compare.operand).__name__
            raise LimitError(f"the {compare.field} of {compare.key} is compared with {kind}")
    size = 0
    put: set[str] = set()
    deletes = []
    for operation in operations:
        if isinstance(operation, Delete):
            check_key(operation.key, is_prefix=operation.is_prefix)
            deletes.append(operation)
            continue
        check_key(operation.key)
        if len(operation.value) > VALUE_LIMIT_BYTES:
            raise LimitError(f"the value of {operation.key} is larger than {VALUE_LIMIT_BYTES} bytes")
        if operation.key in put:
            raise LimitError(f"{operation.key} is put twice in a transaction")
        put.add(operation.key)
        size += len(operation.key) + len(operation.value)
    if size > TRANSACTION_LIMIT_BYTES:
        raise LimitError(f"a transaction of more than {TRANSACTION_LIMIT_BYTES} bytes")
    for delete in deletes:
        if delete.key in put or (delete.is_prefix and any(key.startswith(delete.key) for key in put)):
            raise LimitError(f"{delete.key} is both put and deleted in a transaction")


def check_ttl(ttl_ms: int) -> None:
    """Raise LimitError for a time that no lease can have."""
    if not 1 <= ttl_ms <= TTL_LIMIT_MS:
        raise LimitError(f"the time of a lease is 1 to {TTL_LIMIT_MS} ms, not {ttl_ms}")


def holds(compare: Compare, entry: Entry | None) -> bool:
    """Whether `compare` is true of what stands under its key."""
    if compare.field == "value":
        if entry is None:
            return False
        actual: Any = entry.value
    else:
        actual = 0 if entry is None else getattr(entry, compare.field)
    operand: Any = compare.operand
    match compare.operator:
        case "==":
            return bool(actual == operand)
        case "!=":
            return bool(actual != operand)
        case "<":
            return bool(actual < operand)
        case ">":
            return bool(actual > operand)

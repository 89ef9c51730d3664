"""What a store answers when it cannot do what it was asked."""

from __future__ import annotations


class StoreError(Exception):
    """Any of them; nothing was changed, unless the error says otherwise."""


class StoreOpenError(StoreError):
    """The store cannot be opened: held by another process, damaged, of a newer version, or no permission."""


class StoreFailedError(StoreError):
    """The disk refused (full, failing). A change that met it has not been acknowledged, and is not applied."""


class StoreBusyError(StoreError):
    """More changes wait than are allowed to."""


class StoreClosedError(StoreError):
    """The store is closed, or is being closed."""


class LimitError(StoreError, ValueError):
    """A key, a value or a transaction that is out of bounds, or that changes one key twice."""


class LeaseNotFoundError(StoreError):
    """No such lease: never granted, revoked or expired."""

    def __init__(self, lease: int) -> None:
        super().__init__(f"no lease {lease}")
        self.lease = lease


class CompactedError(StoreError):
    """The revision asked for lies before `compact_revision`, and its history has gone: list again, watch from there."""

    def __init__(self, revision: int, compact_revision: int) -> None:
        super().__init__(f"revision {revision} is compacted; history begins at {compact_revision}")
        self.revision = revision
        self.compact_revision = compact_revision


class FutureRevisionError(StoreError):
    """The revision asked for is yet to come."""

    def __init__(self, revision: int, current: int) -> None:
        super().__init__(f"revision {revision} is yet to come; the store is at {current}")
        self.revision = revision
        self.current = current

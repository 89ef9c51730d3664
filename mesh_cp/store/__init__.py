"""The control plane's state: an interface with etcd's semantics, and SQLite behind it.

    interface.py   what a store does         errors.py   what it answers when it cannot
    sqlite/        the embedded store
"""

from mesh_cp.store.errors import (
    CompactedError,
    FutureRevisionError,
    LeaseNotFoundError,
    LimitError,
    StoreBusyError,
    StoreClosedError,
    StoreError,
    StoreFailedError,
    StoreOpenError,
)
from mesh_cp.store.interface import (
    Changes,
    Compare,
    Delete,
    Entry,
    Event,
    Lease,
    Listing,
    Operation,
    Outcome,
    Page,
    Put,
    Store,
    Watch,
)

__all__ = [
    "Changes",
    "CompactedError",
    "Compare",
    "Delete",
    "Entry",
    "Event",
    "FutureRevisionError",
    "Lease",
    "LeaseNotFoundError",
    "LimitError",
    "Listing",
    "Operation",
    "Outcome",
    "Page",
    "Put",
    "Store",
    "StoreBusyError",
    "StoreClosedError",
    "StoreError",
    "StoreFailedError",
    "StoreOpenError",
    "Watch",
]

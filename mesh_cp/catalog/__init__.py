"""What operators have applied: the resources, and the history of their changes, in the store.

    catalog.py   reading, applying, deleting, going back     errors.py   why a change is refused
    records.py   how all of it stands in the store           planning.py which edits make a change

Resources are keyed by kind, namespace and name; each change is one transaction, and keeps what it replaced.
"""

from mesh_cp.catalog.catalog import Catalog, Result
from mesh_cp.catalog.errors import CatalogError, ConflictError, HistoryError, MissingError, SizeError
from mesh_cp.catalog.records import RESOURCES_PREFIX, Change, ChangeAction, Edit, Item, item_of

__all__ = [
    "RESOURCES_PREFIX",
    "Catalog",
    "CatalogError",
    "Change",
    "ChangeAction",
    "ConflictError",
    "Edit",
    "HistoryError",
    "Item",
    "MissingError",
    "Result",
    "SizeError",
    "item_of",
]

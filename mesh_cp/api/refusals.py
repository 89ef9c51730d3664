"""What goes wrong, as an answer: one status and one word for each kind of error."""

from __future__ import annotations

import msgspec

from mesh_core.control.http_server import Answer
from mesh_cp.api.messages import ErrorReply
from mesh_cp.catalog import CatalogError, ConflictError, HistoryError, MissingError, SizeError
from mesh_cp.catalog.errors import BusyError
from mesh_cp.resources import Loaded
from mesh_cp.store import CompactedError, FutureRevisionError, LimitError, StoreBusyError, StoreError

_STATUSES: tuple[tuple[type[Exception], int, str], ...] = (
    (ConflictError, 409, "conflict"),
    (MissingError, 404, "not_found"),
    (HistoryError, 404, "not_found"),
    (SizeError, 413, "too_large"),
    (BusyError, 503, "busy"),
    (StoreBusyError, 503, "busy"),
    (CompactedError, 410, "compacted"),
    (FutureRevisionError, 400, "bad_request"),
    (LimitError, 413, "too_large"),
    (StoreError, 500, "store"),
)

_NOTHING = Loaded((), (), ())

ENCODER = msgspec.json.Encoder()


class RefusedError(Exception):
    """A request that is refused; `loaded` is what its manifests are, and what is wrong with them."""

    def __init__(self, status: int, error: str, message: str, loaded: Loaded = _NOTHING) -> None:
        super().__init__(message)
        self.status = status
        self.reply = ErrorReply(
            error=error, message=message, faults=loaded.faults, omitted=loaded.omitted, skipped=loaded.skipped
        )


def refusal(error: RefusedError | CatalogError | StoreError) -> Answer:
    """The answer that tells of it."""
    if isinstance(error, RefusedError):
        return as_json(error.reply, error.status)
    status, word = next((status, word) for kind, status, word in _STATUSES if isinstance(error, kind))
    return as_json(ErrorReply(error=word, message=str(error)), status)


def as_json(reply: object, status: int = 200) -> Answer:
    """A reply as an answer."""
    return Answer(status, ENCODER.encode(reply) + b"\n", "application/json")

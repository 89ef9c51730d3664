"""What the API is told and what it replies, as JSON. The command line uses the same types."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from mesh_cp.catalog import Change, Edit
from mesh_cp.catalog.records import Document
from mesh_cp.model import Problem
from mesh_cp.propagation import Acknowledgement, ProxyPreview, ProxyStatus
from mesh_cp.resources import Key, ResourceFault, Skipped

WAIT_LIMIT_MS = 600_000

Wait = Annotated[int, Meta(ge=0, le=WAIT_LIMIT_MS)]


class File(Struct, frozen=True, forbid_unknown_fields=True):
    """A file of manifests: what faults call it, and its text."""

    name: Annotated[str, Meta(max_length=4096)]
    text: str


class ApplyRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """POST /v1/apply: have all that stands in `files`, or nothing of it.

    `wait_ms`: how long to wait for the proxies' acknowledgements; 0 for not at all.
    """

    files: tuple[File, ...]
    dry_run: bool = False
    wait_ms: Wait = 0


class DeleteRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """POST /v1/delete: have none of `keys`, nor of what stands in `files`."""

    keys: tuple[Key, ...] = ()
    files: tuple[File, ...] = ()
    missing_ok: bool = False
    dry_run: bool = False
    wait_ms: Wait = 0


class RollbackRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """POST /v1/rollback: have all as it was after the change `to`; None is the one before the last."""

    to: Annotated[int, Meta(ge=0)] | None = None
    dry_run: bool = False
    wait_ms: Wait = 0


class EditReply(Struct, frozen=True):
    """What was, or would be, done to one resource. The documents are there in dry runs and in history."""

    key: Key
    action: Literal["created", "configured", "deleted"]
    before: Document | None = None
    after: Document | None = None

    @classmethod
    def of(cls, edit: Edit, *, with_documents: bool) -> EditReply:
        """The reply for an edit."""
        return cls(edit.key, edit.action, *((edit.before, edit.after) if with_documents else ()))


class ChangeReply(Struct, frozen=True, kw_only=True):
    """How a change went. `change` is None in a dry run and where there was nothing to do.

    `unchanged` are the resources that were as wanted already. `revision`: the store's.
    """

    revision: int
    change: Change | None
    edits: tuple[EditReply, ...]
    unchanged: tuple[Key, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    warnings: tuple[ResourceFault, ...] = ()
    propagation: Acknowledgement | None = None
    preview: tuple[ProxyPreview, ...] = ()


class ItemReply(Struct, frozen=True):
    """A resource as it stands; the document carries its version."""

    key: Key
    document: Document
    source: str
    line: int | None
    create_revision: int
    revision: int


class ItemsReply(Struct, frozen=True):
    """GET /v1/resources."""

    revision: int
    items: tuple[ItemReply, ...]


class DescribeReply(Struct, frozen=True):
    """GET /v1/describe: a resource, what is to be said of it, and the changes that touched it, newest first.

    `problems`: what it asks for and does not get, because of other resources or for want of them.
    """

    item: ItemReply
    warnings: tuple[ResourceFault, ...]
    changes: tuple[Change, ...]
    problems: tuple[Problem, ...] = ()


class HistoryReply(Struct, frozen=True):
    """GET /v1/history: changes, newest first."""

    changes: tuple[Change, ...]


class ChangeDetailReply(Struct, frozen=True):
    """GET /v1/change: one change, with every document before and after."""

    change: Change
    edits: tuple[EditReply, ...]


class ProxiesReply(Struct, frozen=True):
    """GET /v1/proxies."""

    proxies: tuple[ProxyStatus, ...]


class VersionReply(Struct, frozen=True):
    """GET /v1/version: of the program, and of what the store holds."""

    version: str
    revision: int


class WatchEvent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of GET /v1/watch: a resource that was put or deleted; or, without a key, how far the stream has come."""

    revision: int
    key: Key | None = None
    document: Document | None = None
    error: str | None = None


class ErrorReply(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What went wrong, for people (`message`) and for programs (`error`), with all that is wrong in manifests."""

    error: str
    message: str
    faults: tuple[ResourceFault, ...] = ()
    omitted: int = 0
    skipped: tuple[Skipped, ...] = ()

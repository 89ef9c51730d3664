"""How resources and changes stand in the store.

    resources/KIND/NAMESPACE/NAME             a resource's document, and where it came from
    change-number                             the number of the last change
    changes/NUMBER                            a change, in short
    change-edits/NUMBER/KIND/NAMESPACE/NAME   what it did to one resource: the documents before and after

NUMBER has ten digits, so that keys sort by it.
"""

from __future__ import annotations

import re
from typing import Any, Literal

import msgspec
from msgspec import Struct

from mesh_cp.catalog.errors import SizeError
from mesh_cp.resources import Key
from mesh_cp.store import Entry

RESOURCES_PREFIX = "resources/"
CHANGES_PREFIX = "changes/"
NUMBER_KEY = "change-number"

DOCUMENT_LIMIT_BYTES = 512 * 1024

Document = dict[str, Any]
ChangeAction = Literal["apply", "delete", "rollback"]

_VERSION = re.compile(r"r([0-9]{1,18})")


class Item(Struct, frozen=True):
    """A resource as it stands: its document, where that was written, the revisions of its coming and last change."""

    key: Key
    document: Document
    source: str
    line: int | None
    create_revision: int
    revision: int

    @property
    def versioned(self) -> Document:
        """The document with its version, by which `apply` notices that somebody else was faster."""
        metadata = {**self.document.get("metadata", {}), "resourceVersion": f"r{self.revision}"}
        return {**self.document, "metadata": metadata}


class Edit(Struct, frozen=True):
    """What a change does to one resource: None where there was none before, or is none after."""

    key: Key
    before: Document | None
    after: Document | None
    source: str = ""
    line: int | None = None

    @property
    def action(self) -> Literal["created", "configured", "deleted"]:
        """In kubectl's words."""
        return "created" if self.before is None else "deleted" if self.after is None else "configured"


class Change(Struct, frozen=True, kw_only=True):
    """A change in short. `time_ms`: since 1970. `keys`: the first few that it touched. `to`: of a rollback, the change
    whose state it brought back. `revision`: the store's, that it made."""

    number: int
    time_ms: int
    author: str
    action: ChangeAction
    created: int
    configured: int
    deleted: int
    keys: tuple[Key, ...]
    size_bytes: int
    to: int | None = None
    revision: int = 0


class _StoredResource(Struct, frozen=True):
    document: Document
    source: str
    line: int | None


class _StoredEdit(Struct, frozen=True):
    before: Document | None
    after: Document | None


_ENCODER = msgspec.json.Encoder()
_SORTED = msgspec.json.Encoder(order="sorted")
_RESOURCE = msgspec.json.Decoder(_StoredResource)
_EDIT = msgspec.json.Decoder(_StoredEdit)
_CHANGE = msgspec.json.Decoder(Change)


def without_version(document: Document) -> tuple[Document, int | None]:
    """A document without the version of its resource, and that version if it is one of ours.

    Those of Kubernetes mean nothing here: manifests that were taken from a cluster have them.
    """
    metadata = document.get("metadata")
    if not isinstance(metadata, dict) or "resourceVersion" not in metadata:
        return document, None
    rest = {name: value for name, value in metadata.items() if name != "resourceVersion"}
    ours = _VERSION.fullmatch(str(metadata["resourceVersion"]))
    return {**document, "metadata": rest}, int(ours.group(1)) if ours else None


def same(one: Document | None, other: Document | None) -> bool:
    """Whether two documents say the same, in whatever order."""
    return _SORTED.encode(one) == _SORTED.encode(other)


def resource_key(key: Key) -> str:
    """Where a resource stands."""
    return f"{RESOURCES_PREFIX}{key.kind}/{key.namespace}/{key.name}"


def item_of(entry: Entry) -> Item:
    """The resource that stands in an entry under `RESOURCES_PREFIX`."""
    stored = _RESOURCE.decode(entry.value)
    return Item(
        resource_key_of(entry.key), stored.document, stored.source, stored.line, entry.create_revision, entry.revision
    )


def resource_key_of(key: str) -> Key:
    """Which resource stands under a key of the store."""
    return Key(*key.removeprefix(RESOURCES_PREFIX).split("/"))


def encoded_resource(edit: Edit) -> bytes:
    """What stands under a resource's key. Raises SizeError."""
    data = _ENCODER.encode(_StoredResource(edit.after or {}, edit.source, edit.line))
    if len(data) > DOCUMENT_LIMIT_BYTES:
        raise SizeError(f"{edit.key} is larger than {DOCUMENT_LIMIT_BYTES} bytes")
    return data


def change_key(number: int) -> str:
    """Where a change stands, in short."""
    return f"{CHANGES_PREFIX}{number:010}"


def edits_prefix(number: int) -> str:
    """What the keys of its edits begin with."""
    return f"change-edits/{number:010}/"


def encoded_change(change: Change) -> bytes:
    """What stands under a change's key."""
    return _ENCODER.encode(change)


def change_of(entry: Entry) -> Change:
    """The change that stands in an entry."""
    return msgspec.structs.replace(_CHANGE.decode(entry.value), revision=entry.revision)


def edit_key(number: int, key: Key) -> str:
    """Where an edit stands."""
    return f"{edits_prefix(number)}{key.kind}/{key.namespace}/{key.name}"


def encoded_edit(edit: Edit) -> bytes:
    """What stands under an edit's key."""
    return _ENCODER.encode(_StoredEdit(edit.before, edit.after))


def edit_of(entry: Entry) -> Edit:
    """The edit that stands in an entry."""
    stored = _EDIT.decode(entry.value)
    _, _, *parts = entry.key.split("/")
    return Edit(Key(*parts), stored.before, stored.after)

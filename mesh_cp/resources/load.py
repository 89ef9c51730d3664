"""From text, or from documents that were stored, to resources: with every fault, and nothing dropped in silence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, cast

from msgspec import Struct, defstruct

from mesh_core.config.decode import decode
from mesh_core.config.document import read_documents
from mesh_core.config.escape import escaped
from mesh_core.config.faults import Fault, FaultList, Hint, PathStep
from mesh_core.config.message import read_message
from mesh_core.config.node import Broken, Entry, Node, Scalar, locate
from mesh_core.config.node import Mapping as MappingNode
from mesh_core.config.node import Sequence as SequenceNode
from mesh_core.config.text import text_of
from mesh_core.config.wording import did_you_mean, path_text, quoted
from mesh_cp.resources.common import Checks, Labels, Namespace, ResourceName
from mesh_cp.resources.gaps import Gap, without_gaps
from mesh_cp.resources.kinds import KINDS, Kind, kind_of
from mesh_cp.resources.resource import DEFAULT_NAMESPACE, Key, Loaded, Resource, ResourceFault, Skipped, Weight

DEPTH_LIMIT = 100
"""Lists and mappings within one another: definitions of kinds, which are passed over, have dozens."""

DOCUMENT_LIMIT = 20_000
FAULT_LIMIT = 1000

_METADATA = ("name", "namespace", "labels")
_LIST_KINDS = ("List",)


class Metadata(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is read of a manifest's metadata; the rest is notes of others."""

    name: ResourceName
    namespace: Namespace = DEFAULT_NAMESPACE
    labels: Labels = {}


def load(text: str | bytes, source: str) -> Loaded:
    """All resources in a text of YAML (any number of documents) or JSON; bytes are UTF-8.

    `source` is what faults call it: a file's name. Raises nothing: whatever is wrong is in the result.
    """
    result = _Result(escaped(source))
    faults = FaultList()
    decoded = text_of(text, faults)
    result.take_all("", faults)
    if decoded is not None:
        try:
            for count, document in enumerate(read_documents(decoded, DEPTH_LIMIT)):
                if count == DOCUMENT_LIMIT:
                    result.error(f"more than {DOCUMENT_LIMIT} documents", "use several files")
                    break
                result.document(document.root, document.faults)
        except (MemoryError, RecursionError) as error:
            # Every bound is meant to be met before this.
            result.error(f"too large to be read ({type(error).__name__})", None)
    return result.loaded()


def from_document(document: Mapping[str, Any], source: str, created: int = 0) -> Loaded:
    """The resource in the `document` of another, as a store has it: one at most, and faults have no lines."""
    result = _Result(escaped(source), created)
    faults = FaultList()
    result.document(read_message(dict(document), faults), faults)
    return result.loaded()


class _Result:
    def __init__(self, source: str, created: int = 0) -> None:
        self._source = source
        self._created = created
        self._resources: dict[Key, Resource] = {}
        self._skipped: list[Skipped] = []
        self._faults: list[ResourceFault] = []
        self._omitted = 0

    def loaded(self) -> Loaded:
        return Loaded(tuple(self._resources.values()), tuple(self._skipped), tuple(self._faults), self._omitted)

    def error(self, message: str, hint: str | None) -> None:
        self._take("", "error", Fault("", None, None, message, hint))

    def take_all(self, resource: str, faults: FaultList) -> None:
        for each in faults.ordered:
            self._take(resource, "error", each)
        self._omitted += faults.omitted

    def document(self, root: Node | None, faults: FaultList) -> None:
        """Take one document, or each item of a list of them."""
        if root is None or (isinstance(root, Scalar) and root.value is None):
            # Nothing stands between two separators, or what does cannot be read.
            self.take_all("", faults)
            return
        kind = _text(root, "kind")
        api_version = _text(root, "apiVersion")
        if kind in _LIST_KINDS or (kind.endswith("List") and kind_of(api_version, kind.removesuffix("List"))):
            items = _child(root, "items")
            for item in items.items if isinstance(items, SequenceNode) else ():
                # Faults of the text cannot be told apart by item: the first one takes them.
                self.document(item, faults)
                faults = FaultList()
            return
        if not kind or not api_version:
            if not faults:
                faults.add("", root.position, "no manifest: apiVersion or kind is missing", "for example kind: Service")
            self.take_all("", faults)
            return
        known = kind_of(api_version, kind)
        if known is None:
            self._skip(root, api_version, kind)
        else:
            self._resource(root, known, api_version, faults)

    def _skip(self, root: Node, api_version: str, kind: str) -> None:
        metadata = _child(root, "metadata")
        self._skipped.append(
            Skipped(
                api_version=escaped(api_version[:100]),
                kind=escaped(kind[:100]),
                namespace=escaped(_text(metadata, "namespace")[:253]),
                name=escaped(_text(metadata, "name")[:253]),
                source=self._source,
                line=root.position[0] if root.position else None,
            )
        )

    def _resource(self, root: Node, kind: Kind, api_version: str, faults: FaultList) -> None:
        metadata = _child(root, "metadata")
        namespace = _text(metadata, "namespace") or DEFAULT_NAMESPACE
        label = f"{kind.name} {escaped(namespace[:63])}/{escaped(_text(metadata, 'name')[:253])}"
        errors_before = sum(fault.weight == "error" for fault in self._faults)

        def take(path: Sequence[PathStep], gap: Gap, hint: Hint = None) -> None:
            advice = hint() if callable(hint) else hint
            line, column = locate(root, path) or (None, None)
            self._take(label, gap.weight, Fault(path_text(path), line, column, escaped(gap.message), advice))

        version = api_version.rpartition("/")[2]
        if version not in kind.versions:
            message = f"the version {quoted(version)} of {kind.name} is not known"
            take(["apiVersion"], Gap("error", message), did_you_mean(version, kind.versions, "the versions are"))
            return
        reduced = _reduced(root, kind, take)
        value = decode(reduced, _type_of(kind), faults)
        self.take_all(label, faults)
        if not faults:
            kind.check(value.spec, Checks(take, namespace))
        if sum(fault.weight == "error" for fault in self._faults) == errors_before and not self._omitted:
            self._add(root, kind, api_version, value, take)

    def _add(self, root: Node, kind: Kind, api_version: str, value: Any, take: Any) -> None:
        resource = Resource(
            api_version=api_version,
            kind=kind.name,
            namespace=value.metadata.namespace,
            name=value.metadata.name,
            labels=value.metadata.labels,
            spec=value.spec,
            document=cast("dict[str, Any]", _builtins(root)),
            source=self._source,
            line=root.position[0] if root.position else None,
            created=self._created,
        )
        first = self._resources.setdefault(resource.key, resource)
        if first is not resource:
            where = "" if first.line is None else f" in line {first.line}"
            take(["metadata", "name"], Gap("error", f"this {kind.name} stands here already{where}"), "remove one")

    def _take(self, resource: str, weight: Weight, fault: Fault) -> None:
        if len(self._faults) >= FAULT_LIMIT:
            self._omitted += 1
            return
        self._faults.append(
            ResourceFault(
                weight=weight,
                source=self._source,
                resource=resource,
                path=fault.path,
                line=fault.line,
                column=fault.column,
                message=fault.message,
                hint=fault.hint and escaped(fault.hint),
            )
        )


@cache
def _type_of(kind: Kind) -> type[Struct]:
    """What is decoded of a manifest: its metadata and its spec, which an empty one may leave out."""
    return defstruct(
        f"{kind.name}Manifest",
        [("metadata", Metadata), ("spec", kind.spec)],
        frozen=True,
        forbid_unknown_fields=True,
        kw_only=True,
    )


def _reduced(root: Node, kind: Kind, take: Any) -> Node:
    """A manifest with what is read of it only: `status` and most of the metadata are for others."""
    entries = []
    for entry in _entries(root):
        if entry.key == "metadata":
            kept = [each for each in _entries(entry.value) if each.key in _METADATA and not _is_null(each.value)]
            entries.append(Entry(entry.key, entry.position, MappingNode(kept, entry.value.position)))
        elif entry.key == "spec":
            spec = without_gaps(entry.value, kind.spec, take, ["spec"])
            entries.append(Entry(entry.key, entry.position, spec))
        elif entry.key not in ("apiVersion", "kind", "status"):
            entries.append(entry)
    return MappingNode(entries, root.position)


def _entries(node: Node | None) -> Iterator[Entry]:
    return iter(node.entries if isinstance(node, MappingNode) else ())


def _child(node: Node | None, key: str) -> Node | None:
    return next((entry.value for entry in _entries(node) if entry.key == key), None)


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None


def _text(node: Node | None, key: str) -> str:
    below = _child(node, key)
    return below.value if isinstance(below, Scalar) and isinstance(below.value, str) else ""


def _builtins(node: Node) -> Any:
    """What JSON would hold. An ambiguous plain text stays the text that it was written as."""
    if isinstance(node, MappingNode):
        return {entry.key: _builtins(entry.value) for entry in node.entries}
    if isinstance(node, SequenceNode):
        return [_builtins(item) for item in node.items]
    return None if isinstance(node, Broken) else node.value


KIND_NAMES = tuple(kind.name for kind in KINDS)
"""The kinds that mean something here."""

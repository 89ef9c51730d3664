"""What comes out of an operator's manifests: resources, what was passed over, and what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from mesh_cp.resources.kinds import Spec

Weight = Literal["error", "warning"]
"""error: the resource would do something else than it says, and is refused. warning: it does less, and is taken."""

DEFAULT_NAMESPACE = "default"
"""Where a resource is that names no namespace, as for kubectl."""


class Key(Struct, frozen=True, order=True):
    """What tells one resource from all others."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


class Resource(Struct, frozen=True, kw_only=True):
    """One manifest that can be used.

    `document` is the whole manifest as JSON has it (dict, list, str, int, float, bool, None), as it was written, which
    `from_document` makes the same resource of; `spec` is what it asks for. `source` and `line` (from 1; None where
    there was no text) say where it was written. `created` orders resources by age where they contradict one another:
    the lower is the older; a store gives the revision in which the resource came to be, and 0 is as old as can be.
    """

    api_version: str
    kind: str
    namespace: str
    name: str
    labels: dict[str, str]
    spec: Spec
    document: dict[str, Any]
    source: str
    line: int | None = None
    created: int = 0

    @property
    def key(self) -> Key:
        """What tells it from all others."""
        return Key(self.kind, self.namespace, self.name)

    @property
    def precedence(self) -> tuple[int, str, str]:
        """Sorts what contradicts one another, the first counts: by age, then by namespace and name.

        This is the Gateway API's rule for conflicts, and Istio's.
        """
        return self.created, self.namespace, self.name


class Skipped(Struct, frozen=True, kw_only=True):
    """A manifest of a kind that means nothing here."""

    api_version: str
    kind: str
    namespace: str
    name: str
    source: str
    line: int | None

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


class ResourceFault(Struct, frozen=True, kw_only=True):
    """One thing wrong in a manifest, where it is, and what would be right.

    `resource` is what it is in ("VirtualService default/reviews"), or empty. `path` is the field's
    (spec.http[0].match), empty for the whole document. `line` and `column` count from 1, None where there was no text.
    """

    weight: Weight
    source: str
    resource: str
    path: str
    line: int | None
    column: int | None
    message: str
    hint: str | None = None

    def __str__(self) -> str:
        where = self.source if self.line is None else f"{self.source}:{self.line}:{self.column}"
        subject = ": ".join(part for part in (self.resource, self.path) if part)
        advice = f" — {self.hint}" if self.hint else ""
        return f"{where}: {self.weight}: {subject}{': ' if subject else ''}{self.message}{advice}"


class Loaded(Struct, frozen=True):
    """All that a text, or a message, held. Nothing in it was dropped without being in one of the three.

    A resource with an error among its faults is not in `resources`. `omitted` counts faults beyond the bound.
    """

    resources: tuple[Resource, ...]
    skipped: tuple[Skipped, ...]
    faults: tuple[ResourceFault, ...]
    omitted: int = 0

    @property
    def errors(self) -> tuple[ResourceFault, ...]:
        """The faults that refuse a resource."""
        return tuple(fault for fault in self.faults if fault.weight == "error")

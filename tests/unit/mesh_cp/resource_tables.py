"""The tables of docs/mesh-resources.md, made of the types.

`PYTHONPATH=. python tests/unit/mesh_cp/resource_tables.py` prints them.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct, inspect

from mesh_cp.resources.gaps import Gaps, known_fields
from mesh_cp.resources.kinds import KINDS, Kind


def table(kind: Kind) -> str:
    """The fields of a kind that are read, and those that are known and not supported."""
    rows = ["| in | read | not supported |", "|---|---|---|"]
    for path, of in _structs("spec", kind.spec, set()):
        gaps: Gaps = getattr(of, "gaps", {})
        read = ", ".join(f"`{name}`" for name in known_fields(of))
        lacking = ", ".join(f"`{name}` ({gap.weight})" for name, gap in gaps.items())
        rows.append(f"| `{path}` | {read} | {lacking} |")
    return "\n".join(rows)


def _structs(path: str, of: type[Struct], seen: set[type[Struct]]) -> Iterator[tuple[str, type[Struct]]]:
    """The types of a kind, each where it is met first."""
    if of in seen:
        return
    seen.add(of)
    yield path, of
    for name, declared in known_fields(of).items():
        for suffix, inner in _inner(declared):
            yield from _structs(f"{path}.{name}{suffix}", inner, seen)


def _inner(declared: inspect.Type) -> Iterator[tuple[str, type[Struct]]]:
    if isinstance(declared, inspect.Metadata):
        yield from _inner(declared.type)
    elif isinstance(declared, inspect.UnionType):
        for member in declared.types:
            yield from _inner(member)
    elif isinstance(declared, inspect.VarTupleType):
        yield from ((f"[]{suffix}", inner) for suffix, inner in _inner(declared.item_type))
    elif isinstance(declared, inspect.DictType):
        yield from ((f"{{}}{suffix}", inner) for suffix, inner in _inner(declared.value_type))
    elif isinstance(declared, inspect.StructType):
        yield "", declared.cls


if __name__ == "__main__":
    for each in KINDS:
        print(f"### {each.name}\n\n{table(each)}\n")

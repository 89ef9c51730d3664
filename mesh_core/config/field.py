"""What one field of the schema takes, as the decoder and its messages need it."""

from __future__ import annotations

from typing import Any

from msgspec import inspect


class Field:
    """A type as msgspec describes it, with the name that it stands under and what its annotations add.

    `item`: what a list or a mapping of any keys holds; `key`: what such keys are; `members`: what a union is of.
    """

    __slots__ = ("examples", "form", "item", "key", "members", "name", "nullable", "type")

    def __init__(self, name: str, declared: inspect.Type) -> None:
        self.name = name
        self.examples: list[Any] = []
        self.form: str | None = None
        self.nullable = False
        self.type = self._unwrap(declared)
        self.item: Field | None = None
        self.key: Field | None = None
        self.members: list[Field] = []
        if isinstance(self.type, inspect.ListType | inspect.VarTupleType):
            self.item = Field(name, self.type.item_type)
        elif isinstance(self.type, inspect.DictType):
            self.key, self.item = Field(name, self.type.key_type), Field(name, self.type.value_type)
        elif isinstance(self.type, inspect.UnionType):
            self.members = [Field(name, each) for each in self.type.types if not isinstance(each, inspect.NoneType)]
            self.examples = self.examples or next((each.examples for each in self.members if each.examples), [])

    def _unwrap(self, declared: inspect.Type) -> inspect.Type:
        """The type itself, out of its annotations and out of `X | None`."""
        while True:
            if isinstance(declared, inspect.Metadata):
                extra = declared.extra or {}
                # From outside in: what is said about the field counts before what is said about its type.
                self.form = self.form or extra.get("form")
                self.examples = self.examples or (declared.extra_json_schema or {}).get("examples", [])
                declared = declared.type
            elif isinstance(declared, inspect.UnionType):
                inner = [member for member in declared.types if not isinstance(member, inspect.NoneType)]
                self.nullable = self.nullable or len(inner) < len(declared.types)
                if len(inner) > 1:
                    return declared
                declared = inner[0]
            else:
                return declared

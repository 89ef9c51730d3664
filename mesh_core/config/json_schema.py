"""The proxy configuration as a JSON Schema, for editors and for other programs."""

from __future__ import annotations

from typing import Any

import msgspec

from mesh_core.config.schema import Config

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """The schema of `Config`, in JSON Schema 2020-12. What relates fields to one another is not in it."""
    schema = {"$schema": DIALECT, "title": "hopmesh proxy configuration", **msgspec.json.schema(Config)}
    # Through JSON and back, since msgspec leaves defaults as the types have them (tuples).
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(schema))
    return plain

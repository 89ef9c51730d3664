"""docs/configuration.md and the JSON Schema say what the types say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from config_strategies import configs
from hypothesis import given
from msgspec import Struct
from reference_tables import SECTIONS, table

from mesh_core.config import Config, ConfigError, json_schema, load_file, load_text
from mesh_core.config.document import ALIAS_LIMIT
from mesh_core.config.faults import FAULT_LIMIT
from mesh_core.config.node import DEPTH_LIMIT, NODE_LIMIT

ROOT = Path(__file__).parents[3]
REFERENCE = (ROOT / "docs" / "configuration.md").read_text()


def section(title: str) -> str:
    _, _, rest = REFERENCE.partition(f"\n## {title}\n")
    return rest.partition("\n## ")[0]


def blocks(info: str) -> list[str]:
    return re.findall(rf"^```{info}\n(.*?)^```$", REFERENCE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("title", SECTIONS)
def test_the_reference_has_every_field(title: str) -> None:
    wanted = table(SECTIONS[title])
    assert wanted in section(title), (
        f"`python tests/unit/config/reference_tables.py` prints this table:\n{wanted}"
    )


@pytest.mark.parametrize("text", blocks("yaml"))
def test_examples_in_the_reference_load(text: str) -> None:
    load_text(text)


def test_the_refusal_in_the_reference() -> None:
    (wrong,), (said,) = blocks("yaml wrong"), blocks("text")
    with pytest.raises(ConfigError) as caught:
        load_text(wrong, "proxy.yaml")
    assert str(caught.value) + "\n" == said


def test_the_bounds_in_the_reference() -> None:
    bounds = section("What YAML may be")
    assert all(
        f"| {bound} |" in bounds for bound in (f"{NODE_LIMIT:,}", DEPTH_LIMIT, ALIAS_LIMIT, FAULT_LIMIT)
    )


def test_the_full_example_has_every_field() -> None:
    loaded = load_file(ROOT / "examples" / "full.yaml")
    text = (ROOT / "examples" / "full.yaml").read_text()
    assert loaded.workers == 2
    for of in SECTIONS.values():
        for field in of.__struct_encode_fields__:
            assert re.search(rf"^[ #-]*{field}:", text, re.MULTILINE), (
                f"{of.__name__}.{field} is not in the example"
            )


def test_every_part_is_described() -> None:
    schema = json_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert set(schema["$defs"]) == {of.__name__ for of in SECTIONS.values()}
    for name, definition in schema["$defs"].items():
        assert definition["description"], name
        assert definition["additionalProperties"] is False, name
        for key, described in definition["properties"].items():
            assert described.get("description"), f"{name}.{key}"
            if key not in definition.get("required", []):
                assert "default" in described, f"{name}.{key}"


def test_defaults_and_units_are_told() -> None:
    for name, definition in json_schema()["$defs"].items():
        for key, described in definition["properties"].items():
            text = described["description"]
            if key not in definition.get("required", []) and key != "protocol":
                assert "Default: " in text, f"{name}.{key}"
            assert not key.endswith("_ms") or text.startswith("Milliseconds"), f"{name}.{key}"
            assert not key.endswith("_bytes") or text.startswith("Bytes"), f"{name}.{key}"


def test_the_schema_is_plain_json() -> None:
    schema = json_schema()
    assert json.loads(json.dumps(schema)) == schema


def test_every_reference_leads_somewhere() -> None:
    schema = json_schema()

    def visit(part: Any) -> None:
        if isinstance(part, dict):
            if "$ref" in part:
                assert part["$ref"].removeprefix("#/$defs/") in schema["$defs"]
            for inner in part.values():
                visit(inner)
        elif isinstance(part, list):
            for inner in part:
                visit(inner)

    visit(schema)


def accepts(schema: dict[str, Any], part: dict[str, Any], value: Any) -> bool:  # noqa: PLR0911
    """Whether `value` is valid under `part`: as much of JSON Schema as our schema uses, and no more."""
    known = {
        "$ref",
        "$defs",
        "$schema",
        "title",
        "description",
        "default",
        "examples",
        "type",
        "anyOf",
        "enum",
        "items",
    }
    known |= {
        "properties",
        "required",
        "additionalProperties",
        "propertyNames",
        "pattern",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
    }
    assert set(part) <= known, set(part) - known
    if "$ref" in part:
        part = schema["$defs"][part["$ref"].removeprefix("#/$defs/")]
    if "anyOf" in part:
        return any(accepts(schema, option, value) for option in part["anyOf"])
    if "enum" in part:
        return value in part["enum"]
    match part["type"], value:
        case ("object", dict()) if "properties" not in part:
            return all(
                accepts(schema, {"type": "string", **part["propertyNames"]}, key)
                and accepts(schema, part["additionalProperties"], inner)
                for key, inner in value.items()
            )
        case ("object", dict()):
            known_keys = part["properties"]
            return set(part.get("required", [])) <= set(value) <= set(known_keys) and all(
                accepts(schema, known_keys[key], inner) for key, inner in value.items()
            )
        case ("array", list()):
            return all(accepts(schema, part["items"], inner) for inner in value)
        case ("string", str()):
            within = part.get("minLength", 0) <= len(value) <= part.get("maxLength", len(value))
            return within and re.search(part.get("pattern", ""), value) is not None
        case ("boolean", bool()) | ("null", None):
            return True
        case ("number", int() | float()) if not isinstance(value, bool):
            return bool(part["minimum"] <= value <= part["maximum"])
        case ("integer", int()) if not isinstance(value, bool):
            return bool(part["minimum"] <= value <= part["maximum"])
    return False


@given(configs())
def test_the_schema_accepts_what_the_loader_accepts(config: Config) -> None:
    schema = json_schema()
    assert accepts(schema, schema, msgspec.json.decode(msgspec.json.encode(config)))


@pytest.mark.parametrize(
    "value",
    [
        {"workers": 0},
        {"workers": "2"},
        {"typo": 1},
        {"listeners": {}},
        {"listeners": [{"name": "a"}]},
        [],
        {"admin": 1},
    ],
    ids=str,
)
def test_the_schema_refuses_what_the_loader_refuses(value: Any) -> None:
    schema = json_schema()
    assert not accepts(schema, schema, value)


def test_types_are_frozen() -> None:
    assert all(issubclass(of, Struct) and of.__struct_config__.frozen for of in SECTIONS.values())
    assert hash(Config()) == hash(Config())

"""Hostile configurations meet a bound, and meet it soon."""

from __future__ import annotations

import msgspec
import pytest

from mesh_core.config import ConfigError, load_builtins, load_text
from mesh_core.config.faults import FAULT_LIMIT
from mesh_core.config.node import DEPTH_LIMIT, NODE_LIMIT

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdef", "bcdefg", strict=True)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 100_000, f"nested more than {DEPTH_LIMIT} deep"),
        ("{a: " * 100_000, f"nested more than {DEPTH_LIMIT} deep"),
        ("- " * 100_000, f"nested more than {DEPTH_LIMIT} deep"),
        (LAUGHS, f"more than {NODE_LIMIT} values"),
        ("a: &a x\nb: [" + "*a, " * 101 + "]", "more than 100 aliases"),
    ],
    ids=["lists", "mappings", "block lists", "aliases of aliases", "aliases"],
)
def test_one_fault_ends_the_reading(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_text(text)
    assert [fault.message for fault in caught.value.faults] == [message]


def test_deep_messages() -> None:
    message: object = None
    for _ in range(100_000):
        message = [message]
    with pytest.raises(ConfigError, match=f"nested more than {DEPTH_LIMIT} deep"):
        load_builtins({"listeners": message})
    # Taken apart here: the interpreter would do it by recursion, level by level.
    while isinstance(message, list):
        message = message.pop()


def test_wide_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mesh_core.config.message.NODE_LIMIT", 100)
    with pytest.raises(ConfigError) as caught:
        load_builtins({"clusters": [{"name": "a", "endpoints": []}] * 1000})
    assert [fault.message for fault in caught.value.faults].count("more than 100 values") == 1


def test_faults_beyond_the_limit_are_counted() -> None:
    count = FAULT_LIMIT + 234
    with pytest.raises(ConfigError) as caught:
        load_text("clusters: [" + "1, " * count + "]")
    assert len(caught.value.faults) == FAULT_LIMIT
    assert caught.value.omitted == 234
    assert str(caught.value).endswith("<text>: 234 more faults are not listed")


def test_long_values_and_paths_are_cut() -> None:
    with pytest.raises(ConfigError) as caught:
        load_builtins({"workers": "x" * 100_000, "k" * 100_000: 1, "max_connections": 10**5000})
    assert all(len(line) < 400 for line in str(caught.value).split("\n"))


@pytest.mark.parametrize("error", [MemoryError, RecursionError])
def test_exhaustion_is_a_refusal(monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    def exhausted(*_: object) -> None:
        raise error

    monkeypatch.setattr("mesh_core.config.load.read_document", exhausted)
    with pytest.raises(ConfigError, match="too large to be read"):
        load_text("listeners: []")


def test_numbers_of_many_digits_are_out_of_bounds() -> None:
    with pytest.raises(ConfigError, match=r"workers: expected an integer from 1 to 256, found 9{60}…"):
        load_text("workers: " + "9" * 100_000)


def test_every_integer_of_the_schema_has_bounds() -> None:
    unbounded = []

    def visit(declared: object, path: str) -> None:
        match declared:
            case msgspec.inspect.IntType(ge=ge, le=le) if ge is None or le is None:
                unbounded.append(path)
            case msgspec.inspect.StructType(fields=fields):
                for field in fields:
                    visit(field.type, f"{path}.{field.name}")
            case msgspec.inspect.Metadata(type=inner):
                visit(inner, path)
            case msgspec.inspect.VarTupleType(item_type=inner):
                visit(inner, path + "[]")
            case msgspec.inspect.UnionType(types=types):
                for inner in types:
                    visit(inner, path)

    from mesh_core.config import Config  # noqa: PLC0415

    visit(msgspec.inspect.type_info(Config), "")
    assert unbounded == []

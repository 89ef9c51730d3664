"""The decoder on types that the schema does not use yet, and the words that it finds."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from msgspec import Meta, Struct

from mesh_core.config.decode import INVALID, decode
from mesh_core.config.faults import ConfigError, FaultList
from mesh_core.config.message import read_message


class Inner(Struct, frozen=True, rename="camel"):
    """A part."""

    password: str = ""
    some_weights: list[float] = []


class Outer(Struct, frozen=True):
    """A whole."""

    inner: Inner | None = None
    ratio: Annotated[float, Meta(ge=0, le=1)] = 0.5
    key: Annotated[str, Meta(min_length=4)] = "none"
    token: int = 0


def decoded(value: object) -> tuple[Any, list[str]]:
    """What `value` is decoded to, and its faults."""
    faults = FaultList()
    result = decode(read_message(value, faults), Outer, faults)
    try:
        faults.raise_if_any("m")
    except ConfigError as error:
        return result, [fault.render("m").removeprefix("m: ") for fault in error.faults]
    return result, []


def test_lists_floats_and_renamed_keys() -> None:
    value = {"inner": {"someWeights": [1, 2.5]}, "ratio": 1}
    assert decoded(value) == (Outer(inner=Inner(some_weights=[1.0, 2.5]), ratio=1.0), [])


def test_null_where_it_is_allowed() -> None:
    assert decoded({"inner": None}) == (Outer(), [])
    assert decoded({"ratio": None})[1] == ["ratio: expected a number from 0 to 1, found nothing"]


@pytest.mark.parametrize("value", ["x", True, 1.5, float("nan"), float("inf"), [1], b"x", 10**400])
def test_what_is_no_number_within_bounds(value: object) -> None:
    result, (fault,) = decoded({"ratio": value})
    assert result.ratio is INVALID
    assert fault.startswith("ratio: expected a number from 0 to 1, found ")


def test_the_rest_is_decoded_beside_a_fault() -> None:
    result, faults = decoded({"ratio": 2, "inner": {"someWeights": [1, "x", 3]}})
    assert result == Outer(ratio=INVALID, inner=Inner(some_weights=[1.0, INVALID, 3.0]))
    assert len(faults) == 2


@pytest.mark.parametrize(
    "value",
    [
        {"key": "abc"},
        {"token": "hunter2"},
        {"token": ["hunter2"]},
        {"key": b"hunter2"},
        {"inner": {"password": 4711}},
        {"key": "hunter2\0"},
        {"inner": {"password": "hunter2\ud800"}},
    ],
    ids=str,
)
def test_secrets_are_not_shown(value: object) -> None:
    _, (fault,) = decoded(value)
    assert not any(secret in fault for secret in ("abc", "hunter2", "4711"))


def test_text_that_nothing_can_carry() -> None:
    _, faults = decoded({"inner": {"someWeights": []}, "key": "a\0bc"})
    assert faults == [
        "key: expected text without NUL characters or surrogates, found a value that is not shown here"
    ]

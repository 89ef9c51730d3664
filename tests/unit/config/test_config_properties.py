"""A good configuration survives being written; nothing but ConfigError comes of a bad one."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import yaml
from config_strategies import altered, configs, values
from hypothesis import given
from hypothesis import strategies as st

from mesh_core.config import Config, ConfigError, load_builtins, load_text


@given(configs())
def test_a_configuration_survives_a_message(config: Config) -> None:
    message = msgspec.msgpack.decode(msgspec.msgpack.encode(config))
    assert load_builtins(message) == config


@given(configs())
def test_a_configuration_survives_a_file(config: Config) -> None:
    # JSON is YAML, but for its bare surrogate pairs: PyYAML takes "\ud83d\ude00" for two characters.
    text = json.dumps(msgspec.to_builtins(config), indent=2, ensure_ascii=False)
    assert load_text(yaml_printable(text)) == config


@given(configs())
def test_a_configuration_survives_a_block_style_file(config: Config) -> None:
    message = msgspec.json.decode(msgspec.json.encode(config))
    message["clusters"] = [{**cluster, "name": _Quoted(cluster["name"])} for cluster in message["clusters"]]
    for listener in message["listeners"]:
        listener["cluster"] = _Quoted(listener["cluster"])
    if message["access_log"] is not None:
        message["access_log"]["path"] = _Quoted(message["access_log"]["path"])
    assert load_text(yaml.dump(message, Dumper=_Dumper, allow_unicode=False)) == config


class _Quoted(str):
    """A string that is written in double quotes, whatever it looks like."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_representer(
    _Quoted, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style='"')
)


def yaml_printable(text: str) -> str:
    """`text`, a JSON document, with what YAML does not allow in a file written as escapes."""
    return "".join(c if c in "\n" or " " <= c <= "~" else f"\\U{ord(c):08x}" for c in text)


@given(values)
def test_any_message_is_loaded_or_refused(message: Any) -> None:
    loaded_or_none(message)


@given(altered())
def test_what_is_accepted_msgspec_accepts_too_and_takes_for_the_same(message: Any) -> None:
    config = loaded_or_none(message)
    if config is not None:
        assert msgspec.convert(message, Config) == config


@given(altered())
def test_what_msgspec_refuses_is_refused(message: Any) -> None:
    try:
        msgspec.convert(message, Config)
    except msgspec.ValidationError:
        assert loaded_or_none(message) is None


def loaded_or_none(message: Any) -> Config | None:
    try:
        return load_builtins(message)
    except ConfigError as error:
        assert error.faults
        assert all(line.isprintable() for line in str(error).split("\n"))
        return None


@given(st.text(st.sampled_from("ab:-[]{}&*!|>'\"%@#,? \n\t\\0x1~<=")) | st.text() | st.binary())
def test_any_text_is_loaded_or_refused(data: str | bytes) -> None:
    lines = data.count("\n" if isinstance(data, str) else b"\n") + 2
    try:
        load_text(data)
    except ConfigError as error:
        for fault in error.faults:
            assert fault.line is not None and fault.column is not None
            assert 1 <= fault.line <= lines * 3 and fault.column >= 1

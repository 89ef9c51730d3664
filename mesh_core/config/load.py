"""From a file, a text or a decoded message to a `Config`, or to every fault at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from mesh_core.config.check import check
from mesh_core.config.decode import decode
from mesh_core.config.document import read_document
from mesh_core.config.escape import escaped
from mesh_core.config.faults import ConfigError, Fault, FaultList, Hint, PathStep, Report
from mesh_core.config.message import read_message
from mesh_core.config.node import Node, locate
from mesh_core.config.schema import Config
from mesh_core.config.text import SIZE_LIMIT_BYTES, text_of
from mesh_core.config.wording import path_text

_Read = Callable[[FaultList], Node | None]
_T = TypeVar("_T", bound=Struct)
Check = Callable[[_T, Report], None]


def load_file(path: str | os.PathLike[str]) -> Config:
    """The configuration in a YAML file. Raises ConfigError, also when the file cannot be read."""
    return load_file_of(path, Config, check)


def load_file_of(path: str | os.PathLike[str], of: type[_T], check_relations: Check[_T]) -> _T:
    """What a YAML file describes, as an `of`; `check_relations` reports what is wrong between its fields.

    Raises ConfigError, also when the file cannot be read.
    """
    name = escaped(os.fspath(path))
    try:
        with Path(path).open("rb") as file:
            # One byte over the limit is enough to know, whatever kind of file it is.
            data = file.read(SIZE_LIMIT_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ConfigError(name, (Fault("", None, None, f"cannot be read: {reason}"),)) from error
    return _load(_reading(data), name, of, check_relations)


def load_text(text: str | bytes, name: str = "<text>") -> Config:
    """The configuration in a YAML text, which faults call `name`. Bytes are UTF-8. Raises ConfigError."""
    return _load(_reading(text), name, Config, check)


def load_builtins(value: object, name: str = "<message>") -> Config:
    """The configuration in a decoded message: dict, list, str, int ... as msgpack or JSON give them.

    Faults carry field paths, but no lines. Raises ConfigError.
    """
    return _load(lambda faults: read_message(value, faults), name, Config, check)


def check_config(config: Config, name: str = "<config>") -> Config:
    """A configuration made of objects, checked as a file is: whoever makes them is held to nothing by their types.

    Returns an equal one, with tuples where there were lists. Faults carry field paths, but no lines. Raises
    ConfigError.
    """
    return _load(lambda faults: read_message(config, faults), name, Config, check)


def _reading(text: str | bytes) -> _Read:
    def read(faults: FaultList) -> Node | None:
        decoded = text_of(text, faults)
        return None if decoded is None else read_document(decoded, faults)

    return read


def _load(read: _Read, name: str, of: type[_T], check_relations: Check[_T]) -> _T:
    name = escaped(name)
    faults = FaultList()
    try:
        config = _decode(read, faults, of, check_relations)
    except (MemoryError, RecursionError) as error:
        # Every bound is meant to be met before this; if one is not, the configuration is refused all the
        # same.
        message = f"too large to be read ({type(error).__name__})"
        raise ConfigError(name, (Fault("", None, None, message),)) from error
    faults.raise_if_any(name)
    assert config is not None
    return config


def _decode(read: _Read, faults: FaultList, of: type[_T], check_relations: Check[_T]) -> _T | None:
    root = read(faults)
    if root is None:
        return None
    config = decode(root, of, faults)

    def report(path: Sequence[PathStep], message: str, hint: Hint) -> None:
        position = None if faults.is_full else locate(root, path)
        faults.add(path_text(path), position, message, hint)

    if not isinstance(config, of):
        return None
    check_relations(config, report)
    return config

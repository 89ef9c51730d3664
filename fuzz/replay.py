"""Replays a target's seeds in the ordinary build, without clang: what the test suite does with them."""

import ctypes
import importlib
from collections.abc import Callable, Iterator
from pathlib import Path

from fuzz.capsule import address_of
from fuzz.targets import TARGETS, Native

SEEDS = Path(__file__).parent / "seeds"


def entry_point(name: str) -> Callable[[bytes], None]:
    """Return a function that gives one input to the target.

    Raises LookupError when the compiled module does not export the target.
    """
    target = TARGETS[name]
    if not isinstance(target, Native):
        function: Callable[[bytes], None] = importlib.import_module(target.module).fuzz_one
        return function
    native = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t)(address_of(target))

    def call(data: bytes) -> None:
        native(data, len(data))

    return call


def seeds(name: str) -> Iterator[Path]:
    """Yield the target's committed inputs."""
    return iter(sorted(path for path in (SEEDS / name).iterdir() if path.is_file()))

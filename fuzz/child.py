"""The process that fuzzes: ``child.py TARGET [libFuzzer argument...]``; started by fuzz.run."""

import ast
import ctypes
import importlib
import importlib.util
import os
import sys
from pathlib import Path

from fuzz.capsule import address_of
from fuzz.libfuzzer import drive, drive_python
from fuzz.targets import TARGETS, Native


def fuzz_native(target: Native, arguments: list[str]) -> int:
    """Fuzz a C function by libFuzzer; the driver and the sanitizer are preloaded."""
    # The symbolizer that a report starts must not inherit them.
    os.environ.pop("LD_PRELOAD", None)
    return drive(ctypes.CDLL(None), arguments, ctypes.c_void_p(address_of(target)))


def fuzz_by_atheris(module: str, arguments: list[str]) -> int:
    """Fuzz a Python function by atheris, which instruments the packages while they are imported."""
    atheris = importlib.import_module("atheris")
    # Only what INSTRUMENT names: the coverage of other modules would distract.
    packages = _constant(module, "INSTRUMENT")
    with atheris.instrument_imports(include=list(packages)):
        target = importlib.import_module(module)
    atheris.Setup(["hopmesh-fuzz", *arguments], target.fuzz_one, internal_libfuzzer=True)
    atheris.Fuzz()
    return 0


def _constant(module: str, name: str) -> tuple[str, ...]:
    """Return a constant of a module that must not be imported yet."""
    spec = importlib.util.find_spec(module)
    assert spec is not None and spec.origin is not None
    for node in ast.parse(Path(spec.origin).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            value: tuple[str, ...] = ast.literal_eval(node.value)
            return value
    raise LookupError(f"{module} does not say {name}")


def fuzz_by_tracing(module: str, arguments: list[str]) -> int:
    """Fuzz a Python function by libFuzzer and ``sys.settrace``, where atheris has no wheel."""
    target = importlib.import_module(module)
    return drive_python(os.environ["HOPMESH_FUZZ_DRIVER"], arguments, target.INSTRUMENT, target.fuzz_one)


def main() -> int:
    """Fuzz the target named on the command line."""
    target, arguments = TARGETS[sys.argv[1]], sys.argv[2:]
    if isinstance(target, Native):
        return fuzz_native(target, arguments)
    if os.environ.get("HOPMESH_FUZZ_DRIVER"):
        return fuzz_by_tracing(target.module, arguments)
    return fuzz_by_atheris(target.module, arguments)


if __name__ == "__main__":
    sys.exit(main())

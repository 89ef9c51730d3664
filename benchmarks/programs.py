"""Compiles the benchmark's own C programs when they are first needed."""

import shutil
import subprocess
from pathlib import Path

from benchmarks.errors import BenchmarkError
from benchmarks.paths import BUILD, SOURCES

_SOURCES = {
    "origin": SOURCES / "load" / "origin.c",
    "bulk": SOURCES / "load" / "bulk.c",
    "connect": SOURCES / "load" / "connect.c",
    "idle": SOURCES / "load" / "idle.c",
    "relay": SOURCES / "floor" / "relay.c",
}
_HEADER = SOURCES / "load" / "net.h"


def program(name: str) -> Path:
    """Return the path of a compiled program, compiling it if its source is newer.

    Raises BenchmarkError when there is no compiler or the source does not compile.
    """
    source, binary = _SOURCES[name], BUILD / name
    newest = max(source.stat().st_mtime, _HEADER.stat().st_mtime)
    if binary.exists() and binary.stat().st_mtime > newest:
        return binary
    compiler = shutil.which("cc")
    if not compiler:
        raise BenchmarkError("no C compiler `cc` found: install one (apt install gcc)")
    BUILD.mkdir(parents=True, exist_ok=True)
    command = [compiler, "-std=gnu11", "-O2", "-Wall", "-Wextra", "-o", str(binary), str(source)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise BenchmarkError(f"{source.name} does not compile:\n{result.stderr}")
    return binary


def tool(name: str, package: str) -> str:
    """Return the path of an installed program; raise BenchmarkError naming its package when it is absent."""
    found = shutil.which(name)
    if not found:
        raise BenchmarkError(f"`{name}` is not installed: apt install {package}")
    return found

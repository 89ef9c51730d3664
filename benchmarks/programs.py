"""Compiles the benchmark's own C programs when they are first needed."""

import os
import shutil
import subprocess
from pathlib import Path

from benchmarks.errors import BenchmarkError
from benchmarks.paths import BUILD, SOURCES

_LOAD = SOURCES / "load"
_SOURCES = {
    "origin": _LOAD / "origin.c",
    "bulk": _LOAD / "bulk.c",
    "http_bulk": _LOAD / "http_bulk.c",
    "connect": _LOAD / "connect.c",
    "idle": _LOAD / "idle.c",
    "tls_connect": _LOAD / "tls_connect.c",
    "tls_idle": _LOAD / "tls_idle.c",
    "relay": SOURCES / "floor" / "relay.c",
    "http": SOURCES / "floor" / "http.c",
}
_TLS = frozenset({"tls_connect", "tls_idle"})  # those that need the system's libssl
_HEADERS = (_LOAD / "net.h", _LOAD / "http.h", _LOAD / "tls.h")


def program(name: str) -> Path:
    """Return the path of a compiled program, compiling it if its source is newer.

    Raises BenchmarkError when there is no compiler or the source does not compile.
    """
    source, binary = _SOURCES[name], BUILD / name
    newest = max(file.stat().st_mtime for file in (source, *_HEADERS))
    if binary.exists() and binary.stat().st_mtime > newest:
        return binary
    compiler = shutil.which("cc")
    if not compiler:
        raise BenchmarkError("no C compiler `cc` found: install one (apt install gcc)")
    BUILD.mkdir(parents=True, exist_ok=True)
    unfinished = binary.with_suffix(f".{os.getpid()}")  # so that nobody else starts it half-written
    libraries = ["-lssl", "-lcrypto"] if name in _TLS else []
    command = [compiler, "-std=gnu11", "-O2", "-Wall", "-Wextra", "-o", str(unfinished), str(source), *libraries]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        hint = " (does it lack libssl's headers? apt install libssl-dev)" if libraries else ""
        raise BenchmarkError(f"{source.name} does not compile{hint}:\n{result.stderr}")
    unfinished.replace(binary)
    return binary


def tool(name: str, package: str) -> str:
    """Return the path of an installed program; raise BenchmarkError naming its package when it is absent."""
    found = shutil.which(name)
    if not found:
        raise BenchmarkError(f"`{name}` is not installed: apt install {package}")
    return found

"""Compiles every ``.pyx`` of mesh_core; all other metadata stands in pyproject.toml.

Environment variables choose the kind of build:

``HOPMESH_BUILD``
    ``release`` (default), ``debug`` (assertions, no optimisation), ``asan`` (address and undefined-behaviour
    sanitizers) or ``fuzz`` (clang with coverage feedback and the address sanitizer).
``HOPMESH_JOBS``
    How many C compilers run at once; by default one per CPU.
``HOPMESH_TESTING``
    1 builds mesh_core._testing, through which tests reach the compiled functions, and 0 leaves it out. By default
    it is built in place (``build_ext --inplace``, editable installs) and left out of wheels.
"""

import io
import os
import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

ROOT = Path(__file__).parent

# The kinds of build: (compiler arguments, linker arguments).
_COMMON = ["-std=gnu11", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-unused-function",
           "-Wno-missing-field-initializers", "-Wno-cast-function-type", "-fvisibility=hidden"]
_SANITIZERS = "-fsanitize=address,undefined"
BUILDS = {
    # Calls of the C library go through the table of addresses alone: a cache line less for each.
    "release": (["-O2", "-g1", "-DNDEBUG", "-fno-plt"], []),
    "debug": (["-O0", "-g3", "-UNDEBUG", "-DHOPMESH_DEBUG"], []),
    "asan": (["-O1", "-g", "-UNDEBUG", "-DHOPMESH_DEBUG", "-fno-omit-frame-pointer", _SANITIZERS,
              "-fno-sanitize-recover=undefined"], [_SANITIZERS]),
    "fuzz": (["-O1", "-g", "-UNDEBUG", "-DHOPMESH_DEBUG", "-fno-omit-frame-pointer",
              "-fsanitize=fuzzer-no-link,address"], ["-fsanitize=address", "-shared-libasan"]),
}

DIRECTIVES = {
    "language_level": "3",
    "boundscheck": False,
    "wraparound": False,
    "initializedcheck": False,
    "cdivision": True,
    "binding": False,
    "embedsignature": True,
    "show_performance_hints": True,
}


class _Tee(io.TextIOBase):
    """Passes compiler messages on and keeps them, so that a hint can fail the build."""

    def __init__(self, stream):
        self.stream, self.lines = stream, []

    def write(self, text):
        self.lines.append(text)
        return self.stream.write(text)

    def flush(self):
        self.stream.flush()


def with_testing(arguments, environment):
    """Return whether a command line of setuptools is to build the test-only modules."""
    if "HOPMESH_TESTING" in environment:
        return environment["HOPMESH_TESTING"] == "1"
    return "--inplace" in arguments or "-i" in arguments or "editable_wheel" in arguments


def sources(testing):
    """Return the ``.pyx`` files to compile, those of mesh_core._testing only on demand."""
    found = sorted((ROOT / "mesh_core").rglob("*.pyx"))
    return found if testing else [path for path in found if "_testing" not in path.parts]


TESTING = with_testing(sys.argv, os.environ)


def compiled_extensions():
    """Translate every ``.pyx`` to C.

    Raises SystemExit when Cython gives a performance hint: on this code base a hint means that a ``nogil``
    function would take the GIL after each call, which the data path must never do.
    """
    compile_args, link_args = BUILDS[os.environ.get("HOPMESH_BUILD", "release")]
    extensions = [
        Extension(
            ".".join(path.relative_to(ROOT).with_suffix("").parts),
            [str(path.relative_to(ROOT))],
            extra_compile_args=_COMMON + compile_args,
            extra_link_args=link_args,
        )
        for path in sources(TESTING)
    ]
    original, sys.stderr = sys.stderr, _Tee(sys.stderr)
    try:
        extensions = cythonize(extensions, compiler_directives=DIRECTIVES)
        hints = [line for line in sys.stderr.lines if "performance hint" in line]
    finally:
        sys.stderr = original
    if hints:
        for extension in extensions:
            # Without the C file the next build translates again, and so fails again, until the hint is gone.
            Path(ROOT, extension.sources[0]).unlink(missing_ok=True)
        sys.exit(f"{len(hints)} performance hint(s) about the GIL (above): declare those functions noexcept")
    return extensions


setup(
    ext_modules=compiled_extensions(),
    options={
        "build_ext": {"parallel": int(os.environ.get("HOPMESH_JOBS") or os.cpu_count() or 1)},
        # A wheel is all that its build folder holds, so it must not be the one of builds in place.
        "build": {"build_base": "build" if TESTING else "build/wheel"},
    },
)

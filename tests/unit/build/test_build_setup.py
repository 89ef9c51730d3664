"""What setup.py builds, and what makes it refuse to."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

# Runs setup.py as far as its list of extensions, without compiling anything.
PROBE = """
import sys
import Cython.Build
import setuptools

sys.argv = sys.argv[1:]
Cython.Build.cythonize = lambda extensions, **options: extensions
if "build_py" not in sys.argv:
    setuptools.setup = lambda **options: print(*(each.name for each in options["ext_modules"]), sep="\\n")
exec(compile(open("setup.py").read(), "setup.py", "exec"), {"__name__": "__main__", "__file__": sys.argv[0]})
"""

# A function pointer that may raise: Cython would check for an exception, under the GIL, after each call.
PLANTED = '''"""Planted."""

cdef void careless() nogil:
    pass


cdef void caller() noexcept nogil:
    careless()
'''


def extensions(*arguments: str, **environment: str) -> list[str]:
    without = {name: value for name, value in os.environ.items() if not name.startswith("HOPMESH_")}
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(ROOT / "setup.py"), *arguments],
        cwd=ROOT, env={**without, **environment}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.split()


def test_every_module_is_built() -> None:
    expected = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in (ROOT / "mesh_core").rglob("*.pyx")
        if "_testing" not in path.parts
    }
    assert set(extensions("bdist_wheel")) == expected


@pytest.mark.parametrize(
    ("arguments", "environment", "built"),
    [
        (["bdist_wheel"], {}, False),
        (["install"], {}, False),
        (["build_ext"], {}, False),
        (["build_ext", "--inplace"], {}, True),
        (["--quiet", "build_ext", "-i"], {}, True),
        (["editable_wheel"], {}, True),
        (["bdist_wheel"], {"HOPMESH_TESTING": "1"}, True),
        (["build_ext", "--inplace"], {"HOPMESH_TESTING": "0"}, False),
    ],
)
def test_what_is_for_tests_is_left_out_of_wheels(
    arguments: list[str], environment: dict[str, str], built: bool
) -> None:
    assert any("_testing" in name for name in extensions(*arguments, **environment)) is built


def test_the_files_of_a_wheel(tmp_path: Path) -> None:
    """Beside the compiled modules: Python and its stubs, contracts for others to cimport, and no generated C."""
    tree, built = tmp_path / "tree", tmp_path / "built"
    for name in ("mesh_core", "mesh_cp"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    subprocess.run(
        [sys.executable, "-c", PROBE, str(tree / "setup.py"), "--quiet", "build_py", "--build-lib", str(built)],
        cwd=tree, capture_output=True, text=True, check=True,
    )  # fmt: skip
    files = [path.relative_to(built) for path in built.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".py", ".pyi", ".pxd", ".typed"}
    assert not [path for path in files if "_testing" in path.parts]
    assert Path("mesh_core/runtime/ring.pxd") in files
    assert Path("mesh_core/cli/__init__.py") in files


def test_a_performance_hint_fails_the_build(tmp_path: Path) -> None:
    shutil.copy(ROOT / "setup.py", tmp_path)
    package = tmp_path / "mesh_core"
    package.mkdir()
    (package / "__init__.py").write_text("")
    planted = package / "planted.pyx"
    for source, refused in ((PLANTED, True), (PLANTED.replace("careless() nogil", "careless() noexcept nogil"), False)):
        planted.write_text(source)
        # `--version` ends setup.py after the translation, before a C compiler is started.
        for _ in range(2):
            done = subprocess.run(
                [sys.executable, "setup.py", "--version"], cwd=tmp_path, capture_output=True, text=True, check=False
            )
            assert (done.returncode != 0) is refused, done.stderr
            assert ("performance hint(s) about the GIL" in done.stderr) is refused
            assert planted.with_suffix(".c").exists() is not refused

"""What holds for every source file: docstrings, contracts, who may import whom."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CORE = ROOT / "mesh_core"
PLAIN_BASES = ("Struct", "NamedTuple", "Exception", "ValueError")
FOLDERS = ("mesh_core", "mesh_cp", "fuzz", "scripts")
PYTHON = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
CYTHON = sorted(CORE.rglob("*.pyx"))
CONTRACTS = sorted(CORE.rglob("*.pxd"))
SOURCES = PYTHON + CYTHON + CONTRACTS


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_there_are_sources() -> None:
    assert len(PYTHON) > 30
    assert len(CYTHON) > 20


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_every_file_says_what_it_is_for(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if text.startswith("#!"):
        text = text.split("\n", 1)[1]
    assert not text or text.startswith('"""'), "the file has no docstring"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_nothing_is_left_to_do(path: Path) -> None:
    found = re.findall(r"\b(?:TODO|FIXME|XXX|HACK)\b.*", path.read_text(encoding="utf-8"))
    assert found == []


def public_definitions(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """Functions and classes that others may use: those of modules and of public classes."""
    found: list[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef] = []
    for node in ast.iter_child_nodes(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if node.name.startswith("_"):
            continue
        found.append(node)
        # What overrides a method of a base class is documented there.
        if isinstance(node, ast.ClassDef) and all(ast.unparse(base) in PLAIN_BASES for base in node.bases):
            found += public_definitions(node)
    return found


@pytest.mark.parametrize("path", [path for path in PYTHON if "scripts" not in path.parts], ids=name_of)
def test_public_python_has_docstrings(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    # What an admin page tells stands in the table of pages, where `/` reads it.
    if path.name == "pages.py":
        tree.body = [node for node in tree.body if not isinstance(node, ast.AsyncFunctionDef)]
    missing = [node.name for node in public_definitions(tree) if ast.get_docstring(node) is None]
    assert missing == []


@pytest.mark.parametrize("path", [path for path in CYTHON if "_testing" not in path.parts], ids=name_of)
def test_public_cython_has_docstrings(path: Path) -> None:
    """Of what Python can call; the contracts of C functions stand in the .pxd."""
    lines = path.read_text(encoding="utf-8").split("\n")
    missing = []
    for index, line in enumerate(lines):
        if not re.match(r"(?:    )?(?:def (?!_)|class (?!_)|cdef class )", line):
            continue
        end = index
        while not lines[end].rstrip().endswith(":"):
            end += 1
        body = next(text.strip() for text in lines[end + 1 :] if text.strip())
        if not body.startswith('"""'):
            missing.append(line.strip())
    # `cdef class` of one unit may be documented in its contract.
    contract = path.with_suffix(".pxd")
    text = contract.read_text(encoding="utf-8") if contract.exists() else ""
    undocumented = [
        line for line in missing
        if not (line.startswith("cdef class") and re.search(re.escape(line) + r'\s+"""', text))
    ]  # fmt: skip
    assert undocumented == []


@pytest.mark.parametrize("path", CYTHON + CONTRACTS, ids=name_of)
def test_what_is_cimported_has_a_contract(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for package, names in re.findall(r"^from (mesh_core[\w.]*) cimport ([^(\n]+|\([^)]+\))", text, re.MULTILINE):
        contract = ROOT / Path(*package.split("."))
        if contract.with_suffix(".pxd").exists():
            continue
        assert contract.is_dir(), f"{package} has no .pxd"
        for name in re.findall(r"\w+(?: as \w+)?", names):
            assert (contract / f"{name.split(' ')[0]}.pxd").exists(), f"{package}.{name} has no .pxd"


def test_contracts_keep_their_promises_without_the_gil() -> None:
    """Every C function that a contract offers to the data path says that it takes no GIL and raises nothing."""
    for path in CONTRACTS:
        if path.parent.name not in ("runtime", "net", "http1", "http", "downstream", "relay", "worker"):
            continue
        text = re.sub(r"^cdef (?:struct|union|enum|class|extern|inline).*?(?=^\S|\Z)", "",
                      path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        for declaration in re.findall(r"^cdef [^\n]*\((?:[^)]*)\)[^\n]*", text, re.MULTILINE):
            assert declaration.endswith("noexcept nogil"), f"{name_of(path)}: {declaration}"


def imported_modules(path: Path) -> set[str]:
    """Names that a module imports, wherever in it; `import a.b` and `from a.b import c` both give `a.b`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_the_core_never_imports_the_control_plane() -> None:
    for path in (path for path in PYTHON if CORE in path.parents):
        assert not [name for name in imported_modules(path) if name.split(".")[0] == "mesh_cp"], name_of(path)
    for path in CYTHON + CONTRACTS:
        assert not re.search(r"^\s*(?:from|c?import) +mesh_cp\b", path.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_product_never_imports_what_is_for_tests() -> None:
    for path in SOURCES:
        if "_testing" in path.parts:
            continue
        assert not re.search(r"^\s*(?:from|c?import) .*\b_testing\b", path.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("path", CYTHON + CONTRACTS, ids=name_of)
def test_the_build_sees_what_is_cimported(path: Path) -> None:
    """A module that is cimported from its package is none that Cython compiles anew for: write `cimport a.b as b`."""
    packages = re.findall(r"^from +([\w.]+) +cimport\b", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert not [each for each in packages if (ROOT / each.replace(".", "/")).is_dir()]


@pytest.mark.parametrize("path", CYTHON, ids=name_of)
def test_one_subject_a_file(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").split("\n")) <= 310

"""The public names: all there, typed, described, and free for whoever does not use them."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import mesh_core
from mesh_core.config import schema
from mesh_core.embedding import OF_A_PROCESS

ROOT = Path(__file__).parents[3]
MANUAL = (ROOT / "docs" / "embedding.md").read_text(encoding="utf-8")
FOLLOWED = {
    "access_log", "clusters", "drain_timeout_ms", "listeners", "max_connections", "metrics", "node", "overload",
    "workers",
}
"""Fields of a configuration that an embedded proxy follows."""


def test_importing_the_package_loads_nothing() -> None:
    code = "import sys, mesh_core; print(*(each for each in sys.modules if each.startswith(('mesh_core', 'msgspec'))))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert sorted(done.stdout.split()) == ["mesh_core", "mesh_core._version"]


@pytest.mark.parametrize("name", mesh_core.__all__)
def test_every_name_is_there(name: str) -> None:
    assert getattr(mesh_core, name) is not None
    assert name in dir(mesh_core)


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="module 'mesh_core' has no attribute 'Prxy'"):
        mesh_core.Prxy  # type: ignore[attr-defined]  # noqa: B018


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse((ROOT / "mesh_core" / "__init__.py").read_text(encoding="utf-8"))
    (typed,) = [
        node for node in tree.body if isinstance(node, ast.If) and getattr(node.test, "id", None) == "TYPE_CHECKING"
    ]
    seen = {alias.name: node.module for node in typed.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen.keys() | {"__version__"} == set(mesh_core.__all__)
    for name, module in seen.items():
        assert getattr(sys.modules[module or ""], name) is getattr(mesh_core, name)


def test_every_type_of_the_configuration_is_public() -> None:
    missing = set(schema.__all__) - set(mesh_core.__all__)
    assert not missing, "add them to mesh_core/__init__.py, twice, and to docs/embedding.md"


def test_no_field_of_the_configuration_is_ignored() -> None:
    """Each is followed, or refused by name."""
    assert set(mesh_core.Config.__struct_fields__) == FOLLOWED | set(OF_A_PROCESS)


@pytest.mark.parametrize("name", sorted(set(mesh_core.__all__) - {"__version__"}))
def test_the_manual_names_it(name: str) -> None:
    assert re.search(rf"`{name}\b", MANUAL)


@pytest.mark.parametrize(
    "name", [name for name, _ in inspect.getmembers(mesh_core.Proxy) if not name.startswith("_")]
)
def test_the_manual_describes_what_a_proxy_can(name: str) -> None:
    assert re.search(rf"`(?:await )?proxy\.{name}\b", MANUAL)


@pytest.mark.parametrize("code", re.findall(r"^ *```python\n(.*?)^ *```$", MANUAL, re.MULTILINE | re.DOTALL))
def test_programs_in_the_manual_compile(code: str) -> None:
    compile(textwrap.dedent(code), "embedding.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def test_wrong_arguments() -> None:
    with pytest.raises(TypeError, match="expected a Config, which load_builtins makes of a dict, not dict"):
        mesh_core.Proxy({"listeners": []})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match='mounting is "threaded" or "inline", not \'forked\''):
        mesh_core.Proxy(mesh_core.Config(), mounting="forked")  # type: ignore[arg-type]


def test_too_early() -> None:
    proxy = mesh_core.Proxy(mesh_core.Config(), name="a\nb")
    assert repr(proxy) == "<mesh_core.Proxy a\\nb: new, threaded>"
    assert proxy.config == mesh_core.Config()
    for use in (proxy.stats, proxy.reopen_access_log, lambda: proxy.active_connections):
        with pytest.raises(RuntimeError, match="the proxy is not started"):
            use()
    for work in (proxy.apply(mesh_core.Config()), proxy.drain()):
        with pytest.raises(RuntimeError, match="the proxy is not started"):
            asyncio.run(work)


def test_closed_before_it_was_started() -> None:
    async def run() -> None:
        proxy = mesh_core.Proxy(mesh_core.Config())
        await proxy.close()
        await proxy.close()
        assert proxy.state == "closed"
        with pytest.raises(RuntimeError, match="a proxy is started once, and this one is closed: make another"):
            await proxy.start()
        with pytest.raises(RuntimeError, match="the proxy is closed"):
            proxy.stats()

    asyncio.run(run())

"""`hopmesh validate`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from mesh_core.cli import main

EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("*.yaml"))
BAD = "workers: 0\nlisteners:\n  - name: in\n"


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "bad.yaml"
    path.write_text(BAD)
    return path


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.yaml"
    path.write_text("clusters:\n  - {name: app, endpoints: []}\n")
    return path


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_examples(example: Path) -> None:
    result = CliRunner().invoke(main, ["validate", str(example)])
    assert (result.exit_code, result.stderr) == (0, "")


def test_good(good: Path) -> None:
    result = CliRunner().invoke(main, ["validate", str(good)])
    assert (result.exit_code, result.stdout) == (0, f"{good}: OK (listeners: 0, clusters: 1)\n")


def test_every_fault_of_every_file(good: Path, bad: Path) -> None:
    result = CliRunner().invoke(main, ["validate", str(bad), str(good), str(bad)])
    assert result.exit_code == 1
    assert result.stdout == f"{good}: OK (listeners: 0, clusters: 1)\n"
    assert result.stderr.count(f"{bad}:1:10: workers: expected an integer from 1 to 256, found 0") == 2
    assert result.stderr.count(f"{bad}:3:5: listeners[0].address: missing") == 2
    assert len(result.stderr.splitlines()) == 6


def test_json(good: Path, bad: Path) -> None:
    result = CliRunner().invoke(main, ["validate", "--format", "json", str(good), str(bad)])
    assert (result.exit_code, result.stderr) == (1, "")
    first, second = json.loads(result.stdout)["files"]
    assert first == {"file": str(good), "ok": True, "faults": [], "omitted": 0}
    assert (second["file"], second["ok"], len(second["faults"])) == (str(bad), False, 3)
    assert second["faults"][0] == {
        "path": "workers",
        "line": 1,
        "column": 10,
        "message": "expected an integer from 1 to 256, found 0",
        "hint": "for example 2",
    }


def test_standard_input() -> None:
    result = CliRunner().invoke(main, ["validate", "-"], input=BAD)
    assert result.exit_code == 1
    assert result.stderr.startswith("<stdin>:1:10: workers: ")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["validate", str(tmp_path / "none.yaml")])
    assert result.exit_code == 1
    assert "cannot be read: No such file or directory" in result.stderr


def test_usage() -> None:
    assert CliRunner().invoke(main, ["validate"]).exit_code == 2
    assert CliRunner().invoke(main, ["validate", "--format", "xml", "f"]).exit_code == 2

"""The command as a whole: its list, its help, what it loads, and its smallest commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner

from mesh_core._version import __version__
from mesh_core.cli import COMMANDS, main
from mesh_core.config import json_schema
from mesh_cp.cli.commands import COMMANDS as FURTHER

ROOT = Path(__file__).parents[3]
ALL = {**COMMANDS, **FURTHER}
PRESENT = [name for name, entry in ALL.items() if find_spec(entry.target.partition(":")[0])]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_as_a_process(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("workers: many\n")
    result = run("-m", "mesh_core.cli", "validate", str(path))
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.startswith(f"{path}:1:10: workers: expected an integer from 1 to 256")


def test_only_the_command_that_is_invoked_is_loaded() -> None:
    code = (
        "import sys; from mesh_core.cli import main; main(['version'], standalone_mode=False); "
        "print([m for m in sys.modules if m.startswith('mesh_core.')], 'msgspec' in sys.modules)"
    )
    loaded = run("-c", code).stdout.splitlines()[-1]
    expected = ["mesh_core._version", "mesh_core.cli", "mesh_core.cli.lazy_group", "mesh_core.cli.version"]
    names, _, has_msgspec = loaded.rpartition(" ")
    assert sorted(json.loads(names.replace("'", '"'))) == sorted(expected)
    assert has_msgspec == "False"


def test_a_proxy_loads_nothing_of_the_control_plane() -> None:
    code = (
        "import sys; from mesh_core.cli import main; main(['proxy', '--help'], standalone_mode=False); "
        "print([m for m in sys.modules if m.partition('.')[0] == 'mesh_cp'])"
    )
    assert run("-c", code).stdout.splitlines()[-1] == "[]"


def test_without_the_control_plane_its_commands_are_not_there() -> None:
    code = (
        "import sys; sys.modules['mesh_cp'] = None; import importlib.util as u; found = u.find_spec; "
        "import mesh_core.cli.lazy_group as g; g.find_spec = lambda name: None if name == 'mesh_cp' else found(name); "
        "from mesh_core.cli import main; main(sys.argv[1:])"
    )
    listed = run("-c", code, "--help").stdout
    assert all(f"  {name}" in listed for name in COMMANDS) and "  apply" not in listed
    assert run("-c", code, "apply").stderr.endswith("No such command 'apply'.\n")
    assert "Check configuration files," in run("-c", code, "validate", "--help").stdout


def test_the_list_of_commands() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    for name, entry in ALL.items():
        assert f"  {name}" in result.stdout and entry.summary in result.stdout


@pytest.mark.parametrize("name", [*PRESENT, None])
def test_every_help_ends_with_an_example(name: str | None) -> None:
    result = CliRunner().invoke(main, [*([name] if name else []), "--help"], prog_name="hopmesh")
    assert result.exit_code == 0
    assert (
        result.stdout.rstrip().splitlines()[-1].strip().startswith(f"Example: hopmesh {name or ''}".rstrip())
    )


def test_an_unknown_command() -> None:
    result = CliRunner().invoke(main, ["validat"])
    assert result.exit_code == 2
    assert "No such command 'validat'" in result.stderr


def test_schema() -> None:
    result = CliRunner().invoke(main, ["schema"])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == json_schema()


def test_version() -> None:
    result = CliRunner().invoke(main, ["version"])
    assert result.exit_code == 0
    assert result.stdout.startswith(f"hopmesh {__version__}\n")


def test_version_as_json() -> None:
    versions = json.loads(CliRunner().invoke(main, ["version", "--json"]).stdout)
    assert list(versions) == ["hopmesh", "python", "uvloop", "kernel", "machine"]
    assert versions["hopmesh"] == __version__
    assert versions["kernel"] == os.uname().release

"""`hopmesh control-plane`: its settings."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from mesh_core.cli import main
from mesh_core.config import ConfigError
from mesh_cp import paths
from mesh_cp.settings import Api, Channel, Settings, load_settings

DOCUMENT = Path(__file__).parents[4] / "docs" / "control-plane.md"


def load(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "settings.yaml"
    path.write_text(text)
    return load_settings(path)


def test_all_settings(tmp_path: Path) -> None:
    text = (
        "api: {address: '[::1]:7443', socket_mode: '0660', allow_remote: false}\n"
        "data_dir: /srv/mesh\nrevisions_kept: 500\n"
    )
    settings = load(tmp_path, text)
    assert settings.api == Api(address="[::1]:7443", socket_mode="0660")
    assert (settings.api_address, str(settings.data_path), settings.revisions_kept) == ("[::1]:7443", "/srv/mesh", 500)
    assert load(tmp_path, "{}") == Settings()
    assert settings.channel_address == paths.channel_address_beside(paths.default_api_address())
    beside = load(tmp_path, "api: {address: 'unix:/srv/mesh/api.sock'}")
    assert beside.channel_address == "unix:/srv/mesh/channel.sock"
    assert load(tmp_path, "channel: {address: '127.0.0.1:7444'}").channel_address == "127.0.0.1:7444"
    remote = load(tmp_path, "api: {address: 0.0.0.0:80, allow_remote: true}")
    assert remote.api_address == "0.0.0.0:80"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("api: {address: nowhere}", "1:16: api.address: "),
        ("api:\n  address: 0.0.0.0:80", "2:12: api.address: 0.0.0.0:80 can be reached from other machines"),
        ("api: {address: '[::]:80'}", "can be reached from other machines"),
        ("api: {socket_mode: '9'}", "1:20: api.socket_mode: expected permissions in octal"),
        ("api: {socket_mode: 0600}", 'quote it: "0600"'),
        ("data_dri: x", '1:1: data_dri: unknown key — did you mean "data_dir"?'),
        ("channel: {address: 0.0.0.0:80}", "and the control channel asks for no password"),
        ("revisions_kept: 1", "revisions_kept: expected an integer from 100"),
    ],
)
def test_faults(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert fault in str(caught.value)


def test_faults_of_the_command_line(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["control-plane", "--listen", "0.0.0.0:80", "--data-dir", str(tmp_path)])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("the command line: api.address: 0.0.0.0:80 can be reached from other machines")
    result = CliRunner().invoke(main, ["control-plane", "--config", str(tmp_path / "none.yaml")])
    assert result.exit_code == 1 and "cannot be read" in result.stderr


def test_where_things_are_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths.os, "geteuid", lambda: 0)
    assert paths.default_api_address() == "unix:/run/hopmesh/control-plane.sock"
    assert str(paths.default_data_dir()) == "/var/lib/hopmesh"
    monkeypatch.setattr(paths.os, "geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1000")
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert paths.default_api_address() == "unix:/run/user/1000/hopmesh/control-plane.sock"
    assert str(paths.default_data_dir()) == "/data/hopmesh"
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert paths.default_api_address() == "unix:/tmp/hopmesh-1000/control-plane.sock"


def test_the_document_has_every_setting() -> None:
    text = DOCUMENT.read_text()
    for of, prefix in ((Api, "api."), (Channel, "channel."), (Settings, "")):
        described = msgspec.inspect.type_info(of)
        assert isinstance(described, msgspec.inspect.StructType)
        for field in described.fields:
            metadata = field.type
            assert isinstance(metadata, msgspec.inspect.Metadata)
            description = (metadata.extra_json_schema or {})["description"]
            if field.name not in ("api", "channel"):
                assert f"| `{prefix}{field.name}` | {description} |" in text


def test_the_document_has_every_command() -> None:
    from mesh_cp.cli.commands import COMMANDS  # noqa: PLC0415

    named = set(re.findall(r"`hopmesh ([a-z-]+)", DOCUMENT.read_text()))
    assert set(COMMANDS) <= named

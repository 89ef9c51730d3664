"""The commands that ask a control plane, against a real one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]
from click.testing import CliRunner, Result

from mesh_core.cli import main
from mesh_cp.cli import client as client_module
from mesh_cp.propagation import Acknowledgement, ProxyPreview, Rejection
from tests.support.manifests import service
from tests.support.running_api import RunningApi

Run = Callable[..., Result]
DEPLOYMENT = "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n"


def test_apply_from_the_standard_input(run: Run) -> None:
    result = run("apply", "-f", "-", text=service() + DEPLOYMENT)
    assert result.stdout == "Service default/web created\nchange 1 at revision 2\n"
    assert result.stderr == "<stdin>:9: skipped: Deployment web, which is of no kind of the mesh\n"
    result = run("apply", "-f", "-", text=service() + "---\n" + service("db"))
    assert result.stdout == "Service default/db created\nService default/web unchanged\nchange 2 at revision 3\n"
    assert run("apply", "-f", "-", text=service()).stdout == "Service default/web unchanged\nnothing to change\n"


def test_apply_folders_and_files(run: Run, tmp_path: Path) -> None:
    mesh = tmp_path / "mesh"
    empty = '{"apiVersion": "v1", "kind": "List", "items": []}'
    for name, text in (("b.yaml", service("b")), ("deep/a.yml", service("a")), ("c.json", empty),
                       ("notes.txt", "no"), (".hidden/x.yaml", "a: ["), (".y.yaml", "[")):  # fmt: skip
        (mesh / name).parent.mkdir(parents=True, exist_ok=True)
        (mesh / name).write_text(text)
    single = tmp_path / "single"
    single.write_text(service("single"))
    result = run("apply", "-f", str(mesh), "-f", str(single))
    assert result.stdout.splitlines()[:3] == [f"Service default/{name} created" for name in ("b", "a", "single")]
    (tmp_path / "empty").mkdir()
    result = run("apply", "-f", str(tmp_path / "empty"), status=1)
    assert "holds no manifests: no .yaml, .yml, .json" in result.stderr
    result = run("apply", "-f", str(tmp_path / "none"), status=1)
    assert result.stderr == f"hopmesh: {tmp_path}/none cannot be read: No such file or directory\n"
    single.write_bytes(b"a: \xff")
    result = run("apply", "-f", str(single), status=1)
    assert "not UTF-8: invalid start byte at byte 3" in result.stderr


def test_every_fault_with_its_line(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(service().replace("port: 80", "port: 0") + "---\n" + service("db").replace("spec", "spce"))
    result = run("apply", "-f", str(path), status=1)
    lines = result.stderr.splitlines()
    assert lines[0].startswith(f"{path}:7:26: error: Service default/web: spec.ports[0].port: expected")
    assert "spce" in lines[1] and lines[1].startswith(f"{path}:12:1: error: ")
    assert lines[-1] == "hopmesh: nothing was changed: 2 faults in the manifests"
    assert run("get").stderr == "nothing was applied yet\n"


def test_waiting_for_proxies(run: Run, api: RunningApi) -> None:
    assert "no proxy is concerned" in run("apply", "-f", "-", "--wait", text=service()).stdout
    api.proxies.answer = Acknowledgement(affected=2, acknowledged=2, elapsed_ms=12.34)
    result = run("apply", "-f", "-", "--wait", "--timeout", "2.5", text=service(port=81))
    assert result.stdout.splitlines()[-1] == "acknowledged by 2 of 2 proxies in 12.3 ms"
    assert api.proxies.asked[-1] == (3, 2.5)
    api.proxies.answer = Acknowledgement(
        affected=3, acknowledged=1, rejected=(Rejection("a-1", ("no such cluster", "bad\x1b[1m")),), waiting=("b-1",)
    )
    result = run("apply", "-f", "-", "--wait", text=service(port=82), status=3)
    assert result.stderr.splitlines() == [
        "proxy a-1 refused: no such cluster",
        "proxy a-1 refused: bad\\x1b[1m",
        "proxy b-1 has not answered",
    ]
    assert json.loads(run("apply", "-f", "-", "-o", "json", text=service(port=83)).stdout)["propagation"] is None


def test_a_dry_run(run: Run, api: RunningApi) -> None:
    api.proxies.previews = (ProxyPreview(proxy="web-1", set=("cluster web",), removed=("listener old",)),)
    result = run("apply", "-f", "-", "--dry-run", text=service())
    assert result.stdout == (
        "Service default/web created (dry run)\nproxy web-1 would get:\n  set cluster web\n  remove listener old\n"
    )
    assert run("history").stdout.splitlines() == [run("history").stdout.splitlines()[0]]


def test_get(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "mesh.yaml"
    path.write_text(service() + "---\n" + service("db", 5432, "data"))
    run("apply", "-f", str(path))
    assert run("get").stdout.splitlines() == [
        "KIND      NAMESPACE   NAME   REVISION   FROM",
        f"Service   data        db     2          {path}:9",
        f"Service   default     web    2          {path}:1",
    ]
    assert run("get", "svc", "-n", "data", "-o", "name").stdout == "Service data/db\n"
    assert run("get", "services", "web", "-o", "name").stdout == "Service default/web\n"
    assert run("get", "tcproute").stderr == "nothing of that sort\n"
    assert run("get", "svc", "none", status=1).stderr == "hopmesh: not there: svc none\n"
    assert "the kinds are Service, " in run("get", "pods", status=1).stderr
    listed = json.loads(run("get", "-o", "json").stdout)
    assert (listed["kind"], len(listed["items"])) == ("List", 2)
    assert json.loads(run("get", "svc", "web", "-o", "json").stdout)["metadata"]["name"] == "web"


@pytest.mark.parametrize("output", ["yaml", "json"])
def test_what_get_prints_can_be_applied(run: Run, output: str) -> None:
    run("apply", "-f", "-", text=service() + "---\n" + service("db"))
    printed = run("get", "-o", output).stdout
    assert run("apply", "-f", "-", text=printed).stdout.splitlines()[-1] == "nothing to change"
    run("apply", "-f", "-", text=service(port=90))
    edited = printed.replace("80", "91")
    result = run("apply", "-f", "-", text=edited, status=1)
    assert result.stderr == "hopmesh: changed by others meanwhile: Service default/web\n"
    assert yaml.safe_load(run("get", "svc", "web", "-o", "yaml").stdout)["spec"]["ports"][0]["port"] == 90


def test_describe(run: Run) -> None:
    run("apply", "-f", "-", text=service().replace("port: 80", "port: 80, nodePort: 30000"))
    run("apply", "-f", "-", text=service(port=81).replace("port: 81", "port: 81, nodePort: 30000"))
    lines = run("describe", "svc", "web").stdout.splitlines()
    assert lines[:6] == [
        "Kind:      Service", "Namespace: default", "Name:      web", "From:      <stdin>:1",
        "Created:   at revision 2", "Changed:   at revision 3",
    ]  # fmt: skip
    assert any(line.startswith("  spec.ports[0].nodePort: ") for line in lines)
    assert "    port: 81" in lines
    assert [line.split()[0] for line in lines[-3:]] == ["CHANGE", "2", "1"]
    assert yaml.safe_load(run("describe", "svc", "web", "-o", "yaml").stdout)["item"]["revision"] == 3
    assert run("describe", "svc", "none", status=1).stderr == "hopmesh: not there: Service default/none\n"


def test_delete(run: Run) -> None:
    run("apply", "-f", "-", text="---\n".join(service(name) for name in ("a", "b", "c", "d")))
    assert run("delete", "svc", "a", "none", status=1).stderr == "hopmesh: not there: Service default/none\n"
    result = run("delete", "svc", "a", "none", "--ignore-not-found")
    assert result.stdout == "Service default/a deleted\nchange 2 at revision 3\n"
    assert run("delete", "services", "b", "--dry-run").stdout == "Service default/b deleted (dry run)\n"
    assert run("delete", "-f", "-", text=service("b") + "---\n" + service("c")).stdout.splitlines()[:2] == [
        "Service default/b deleted", "Service default/c deleted",
    ]  # fmt: skip
    assert run("get", "-o", "name").stdout == "Service default/d\n"
    for wrong in ((), ("svc",), ("svc", "d", "-f", "-")):
        run("delete", *wrong, status=2)


def test_diff(run: Run) -> None:
    run("apply", "-f", "-", text=service() + "---\n" + service("db"))
    assert run("diff", "-f", "-", text=service()).stdout == ""
    result = run("diff", "-f", "-", text=service(port=81) + "---\n" + service("new"), status=1)
    lines = result.stdout.splitlines()
    assert lines[:2] == ["--- Service default/web", "+++ Service default/web"]
    assert "-    port: 80" in lines and "+    port: 81" in lines
    assert lines[lines.index("--- /dev/null") + 1] == "+++ Service default/new"
    run("diff", "-f", "-", text="a: [", status=2)


def test_history_and_rollback(run: Run) -> None:
    run("apply", "-f", "-", text=service())
    run("apply", "-f", "-", text=service(port=81) + "---\n" + service("db"))
    assert [line.split()[0] for line in run("history").stdout.splitlines()] == ["CHANGE", "2", "1"]
    assert len(run("history", "svc", "db").stdout.splitlines()) == 2
    assert len(run("history", "--limit", "1").stdout.splitlines()) == 2
    detail = run("history", "--change", "2").stdout
    assert "+    port: 81" in detail and "+++ Service default/db" in detail
    assert json.loads(run("history", "-o", "json").stdout)["changes"][0]["number"] == 2
    result = run("rollback")
    assert set(result.stdout.splitlines()[:2]) == {"Service default/web configured", "Service default/db deleted"}
    assert run("rollback", "--to", "1").stdout == "nothing to change\n"
    assert "db created (dry run)" in run("rollback", "--to", "2", "--dry-run").stdout
    assert "there is no change 9; the last one is 3" in run("rollback", "--to", "9", status=1).stderr
    run("history", "svc", status=2)
    run("history", "svc", "web", "--change", "1", status=2)


def test_following_changes(run: Run, api: RunningApi, monkeypatch: pytest.MonkeyPatch) -> None:
    run("apply", "-f", "-", text=service())
    real, seen = client_module.Client.watch, []

    def two_of_them(self: client_module.Client, path: str, **query: str) -> object:
        for text in (service(port=81), service("db")):
            run("apply", "-f", "-", text=text)
        for pair in real(self, path, **query):
            seen.append(pair)
            yield pair
            if len(seen) == 2:
                return

    monkeypatch.setattr(client_module.Client, "watch", two_of_them)
    lines = run("get", "-w").stdout.splitlines()
    assert lines[-2:] == ["Service default/web at revision 3", "Service default/db at revision 4"]


def test_nobody_to_ask(tmp_path: Path) -> None:
    address = f"unix:{tmp_path}/none.sock"
    result = CliRunner().invoke(main, ["get", "--server", address])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        f"hopmesh: no control plane can be asked at {address}: No such file or directory — "
        "is it running? Its address is --server or $HOPMESH_SERVER\n"
    )
    result = CliRunner().invoke(main, ["get", "--server", "nowhere"])
    assert result.exit_code == 1 and result.stderr.startswith("hopmesh: ")


def test_validate_needs_no_control_plane(tmp_path: Path) -> None:
    mesh, proxy = tmp_path / "mesh", tmp_path / "proxy.yaml"
    mesh.mkdir()
    (mesh / "good.yaml").write_text(service() + DEPLOYMENT)
    proxy.write_text("clusters:\n  - {name: app, endpoints: []}\n")
    result = CliRunner().invoke(main, ["validate", str(mesh), str(proxy)])
    assert result.exit_code == 0
    assert result.stdout == (
        f"{mesh}/good.yaml: OK (resources: 1, skipped: 1)\n{proxy}: OK (listeners: 0, clusters: 1)\n"
    )
    assert result.stderr == f"{mesh}/good.yaml:9: skipped: Deployment web, which is of no kind of the mesh\n"
    result = CliRunner().invoke(main, ["validate", "-"], input=service(port=0))
    assert result.exit_code == 1 and result.stderr.startswith("<stdin>:7:26: error: Service default/web")
    result = CliRunner().invoke(main, ["validate", "--format", "json", "-"], input='{"kind": "Service"}')
    (file,) = json.loads(result.stdout)["files"]
    assert (file["file"], file["ok"], file["faults"][0]["weight"]) == ("<stdin>", False, "error")
    result = CliRunner().invoke(main, ["validate", str(tmp_path / "none.yaml")])
    assert result.exit_code == 1 and "cannot be read" in result.stderr

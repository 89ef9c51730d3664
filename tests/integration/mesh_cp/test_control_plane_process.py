"""`hopmesh control-plane` as a process: ready, stopped, killed, and what it says when it cannot run."""

from __future__ import annotations

import signal
from pathlib import Path

from mesh_cp.api.messages import ApplyRequest, ChangeReply, File, ItemsReply
from tests.support.control_plane import ControlPlaneProcess, running
from tests.support.manifests import service
from tests.support.process import LIMIT_S, run_cli


def apply(control_plane: ControlPlaneProcess, text: str) -> ChangeReply:
    request = ApplyRequest(files=(File("mesh.yaml", text),))
    return control_plane.client.post("/v1/apply", request, ChangeReply)


def names(control_plane: ControlPlaneProcess) -> list[str]:
    return [item.key.name for item in control_plane.client.get("/v1/resources", ItemsReply).items]


def test_from_the_command_line_to_the_store_and_back(tmp_path: Path) -> None:
    path = tmp_path / "mesh.yaml"
    path.write_text(service() + "---\n" + service("db"))
    with running(tmp_path) as control_plane:
        server = f"unix:{control_plane.socket}"
        result = run_cli("apply", "-f", path, "--wait", "--server", server)
        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout.splitlines()[-2:] == ["change 1 at revision 2", "no proxy is concerned"]
        assert control_plane.wait_for("changed")["resources"] == 2
        assert run_cli("get", "-o", "name", "--server", server).stdout == "Service default/db\nService default/web\n"
        assert control_plane.stop() == 0
        assert not control_plane.socket.exists()
    with running(tmp_path) as control_plane:
        assert control_plane.wait_for("store open")["revision"] == 2
        assert names(control_plane) == ["db", "web"]
        assert control_plane.stop(signal.SIGINT) == 0


def test_killed_at_any_moment_it_has_what_it_acknowledged(tmp_path: Path) -> None:
    done = 0
    for _ in range(4):
        with running(tmp_path) as control_plane:
            assert names(control_plane)[:done] == [f"s{number:02}" for number in range(done)]
            for _ in range(3):
                apply(control_plane, service(f"s{done:02}"))
                done += 1
            control_plane.process.kill()
            control_plane.process.wait(LIMIT_S)
    with running(tmp_path) as control_plane:
        assert names(control_plane) == [f"s{number:02}" for number in range(done)]


def test_a_second_one_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    with running(tmp_path) as control_plane:
        other = tmp_path / "other.sock"
        result = run_cli("control-plane", "--data-dir", tmp_path / "data", "--listen", f"unix:{other}")
        assert result.returncode == 1
        expected = f"is in use by another control plane (process {control_plane.process.pid})"
        assert result.stderr == f"hopmesh: {tmp_path}/data {expected}\n"
        result = run_cli("control-plane", "--data-dir", tmp_path / "more", "--listen", f"unix:{control_plane.socket}")
        assert result.returncode == 1
        assert f"cannot listen on unix:{control_plane.socket}: Address already in use" in result.stderr
        assert names(control_plane) == []


def test_who_watches_does_not_hold_up_the_end(tmp_path: Path) -> None:
    with running(tmp_path) as control_plane:
        apply(control_plane, service())
        events = control_plane.client.watch("/v1/watch", **{"from": 2})
        next(events)
        assert control_plane.stop() == 0
        events.close()

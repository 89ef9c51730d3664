"""What tests of hot restarts share: the verb, the process in charge, and successors that fail on purpose."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from tests.support.process import REPOSITORY, ProxyProcess, call_cli, one_listener, until

# Run by every Python that starts with its folder on PYTHONPATH; what it does stands in a file beside it.
SITECUSTOMIZE = """
import os, pathlib, time
plan = pathlib.Path(__file__).with_name("plan").read_text()
if plan == "crash":
    os.abort()
if plan == "hang":
    time.sleep(60)
if plan == "crash after go":
    from mesh_core.control.hot_restart.predecessor import Predecessor
    Predecessor.serving = lambda *_: os._exit(7)
"""


def restartable(folder: Path, upstream: str, **more: Any) -> dict[str, Any]:
    """The configuration of most tests, with a restart socket."""
    return one_listener(upstream, restart={"address": f"unix:{folder}/restart.sock"}, **more)


def restart(folder: Path) -> subprocess.CompletedProcess[str]:
    """`hopmesh restart`, whatever its outcome."""
    return call_cli("restart", "--address", f"unix:{folder}/restart.sock", "--timeout", "60")


def restarted(folder: Path) -> int:
    """A restart that succeeds; the id of the process that is in charge now."""
    done = restart(folder)
    assert done.returncode == 0, done
    words = done.stdout.split()
    assert words[:2] == ["restarted:", "process"], done
    return int(words[2])


def planned(folder: Path) -> dict[str, str]:
    """Environment of a proxy whose successors do what `plan` says."""
    (folder / "sitecustomize.py").write_text(SITECUSTOMIZE)
    plan(folder, "")
    return {"PYTHONPATH": f"{folder}:{REPOSITORY}"}


def plan(folder: Path, what: str) -> None:
    """From now on, processes that start "crash", "hang", "crash after go", or with "" work."""
    (folder / "plan").write_text(what)


def runs(pid: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def gone(pid: int) -> None:
    """Wait until a process has ended."""
    until(lambda: not runs(pid), f"the end of process {pid}")


def outcome(proxy: ProxyProcess) -> str:
    """Why the last restart failed, as its log says."""
    return str(proxy.wait_for("restart failed")["reason"])



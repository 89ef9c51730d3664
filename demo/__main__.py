"""Shows a mesh of three services at work: ``python -m demo [--seconds N]``.

It stays up until Ctrl-C, or for so long; without a terminal, where nobody can press that, for half a minute.
"""

import time

STARTED_S = time.monotonic()

import argparse  # noqa: E402
import contextlib  # noqa: E402
import os  # noqa: E402
import signal  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
from pathlib import Path  # noqa: E402

from demo.flows import table  # noqa: E402
from demo.load import Load, get  # noqa: E402
from demo.mesh_of_three import MANIFESTS, Mesh  # noqa: E402
from demo.processes import START_LIMIT_S, DemoError, command  # noqa: E402

NAMES = ("web", "orders", "stock")
REQUESTS_PER_SECOND = 50
REFRESH_S = 2.0
SECONDS_WITHOUT_TERMINAL = 30.0
BOLD, PLAIN = ("\x1b[1m", "\x1b[0m") if sys.stdout.isatty() else ("", "")


def heading(text: str) -> None:
    """Begin a part of the show."""
    print(f"\n{BOLD}{text}{PLAIN}", flush=True)


def show(text: str) -> None:
    """Print lines, indented."""
    for line in text.splitlines():
        print(f"    {line}", flush=True)


def first_request(entry: str) -> str:
    """What the first request is answered that goes all the way; tried from the start on. Raises DemoError."""
    whole = " → ".join(NAMES)
    answer, end = "", time.monotonic() + START_LIMIT_S
    while time.monotonic() < end:
        try:
            answer = get(entry).strip()
        except OSError as error:
            answer = str(error)
        if answer == whole:
            return answer
        time.sleep(0.02)
    raise DemoError(f"no request went through {whole}; the last answer: {answer}")


def show_start(mesh: Mesh) -> None:
    """Bring it up, and send the first request."""
    heading("A control plane, three services, a sidecar before each")
    show(f"control plane: pid {mesh.control_plane.process.pid}, asked at {mesh.server}")
    for member in mesh.members:
        show(member.describe())
    mesh.control_plane.wait_for("ready")
    heading(command("apply", "-f", str(MANIFESTS)))
    show(mesh.hopmesh("apply", "-f", str(MANIFESTS)))
    mesh.wait_in_sync()
    heading(f"The first request: curl http://{mesh.entry}/")
    show(first_request(mesh.entry))
    show(f"{time.monotonic() - STARTED_S:.1f} s after the start")
    heading(command("proxies"))
    show(mesh.hopmesh("proxies"))


def show_commands(mesh: Mesh) -> None:
    """What there is to try."""
    heading("To try, in another terminal, in this folder")
    show(f"export HOPMESH_SERVER={mesh.server}")
    for words, about in (
        (("apply", "-f", "demo/try/stock-fails.yaml", "--wait"), "a fifth of the requests to the stock fails"),
        (("rollback",), "no more"),
        (("apply", "-f", "demo/try/stock-slow.yaml", "--dry-run"), "what each sidecar would get"),
        (("get",), "what was applied; describe, diff, history, delete"),
        (("logs", "--follow"), "access records of all sidecars"),
        (("config-dump", "web-1"), "what a sidecar has been sent"),
    ):
        show(f"{command(*words):60} # {about}")
    show(f"{f'curl http://{mesh.entry}/':60} # all the way")
    show(f"{f'kill -9 {mesh.control_plane.process.pid}':60} # the control plane; not a request fails")


def watch_traffic(mesh: Mesh, load: Load, ends_s: float | None) -> None:
    """Show what flows where, again and again on a terminal, else once at the end; until then, or until Ctrl-C."""
    heading(f"What flows where, at {REQUESTS_PER_SECOND} requests a second: {command('stat', '--edges')}")
    printed = 0
    with contextlib.suppress(KeyboardInterrupt):
        while ends_s is None or time.monotonic() < ends_s:
            left_s = REFRESH_S if ends_s is None else min(REFRESH_S, max(0.0, ends_s - time.monotonic()))
            time.sleep(left_s)
            if sys.stdout.isatty():
                printed = show_table(mesh, load, printed)
    if not printed:
        show_table(mesh, load, 0)


def show_table(mesh: Mesh, load: Load, over: int) -> int:
    """Print the table in place of the last `over` lines; how many lines it has."""
    answers = ", ".join(f"{count} × {answer}" for answer, count in sorted(load.answers.items()))
    lines = [*table(mesh.server, NAMES[0]), f"the load was answered: {answers}"]
    if over:
        print(f"\x1b[{over}A\x1b[J", end="")
    show("\n".join(lines))
    return len(lines)


def run(folder: Path, seconds: float | None) -> None:
    """Start everything, show it, and stop it. Raises DemoError, OSError."""
    mesh = Mesh(folder, NAMES)
    try:
        show_start(mesh)
        show_commands(mesh)
        load = Load(mesh.entry, REQUESTS_PER_SECOND)
        try:
            if seconds is None:
                heading("All of it is running. Ctrl-C stops it.")
            watch_traffic(mesh, load, None if seconds is None else time.monotonic() + seconds)
        finally:
            load.stop()
    finally:
        # Whoever presses Ctrl-C again must not leave them behind.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        heading("Stopping: the sidecars take their leave, and drain")
        show("\n".join(f"{name}: exit code {code}" for name, code in mesh.stop().items()))


def seconds_wanted() -> float | None:
    """How long to stay up; None: until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m demo", description="A mesh of three services at work.")
    wanted = os.environ.get("DEMO_SECONDS") or None
    parser.add_argument("--seconds", type=float, default=wanted, help="stay up for so long; default: $DEMO_SECONDS")
    seconds: float | None = parser.parse_args().seconds
    if seconds is None and not sys.stdin.isatty():
        return SECONDS_WITHOUT_TERMINAL
    return seconds


def main() -> int:
    """Run the demo; return 0 when everything that it shows happened."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    seconds = seconds_wanted()
    with tempfile.TemporaryDirectory(prefix="hopmesh-demo-") as folder:
        try:
            run(Path(folder), seconds)
        except KeyboardInterrupt:
            return 130
        except (DemoError, OSError, subprocess.SubprocessError) as error:
            print(f"\ndemo: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

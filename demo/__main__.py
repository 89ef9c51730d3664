"""Shows what ``hopmesh proxy`` does, in half a minute's reading. Stays up for a look around on a terminal."""

import contextlib
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from demo.processes import DemoError, Origin, Proxy
from demo.traffic import LIMIT_S, LongConnection, count_answers, get, wait_for_lines

REQUESTS = 10
BOLD, PLAIN = ("\x1b[1m", "\x1b[0m") if sys.stdout.isatty() else ("", "")


def heading(text: str) -> None:
    """Begin a part of the show."""
    print(f"\n{BOLD}{text}{PLAIN}", flush=True)


def show(text: str) -> None:
    """Print lines, indented."""
    for line in text.splitlines():
        print(f"    {line}", flush=True)


def write_config(file: Path, origins: list[Origin]) -> None:
    """Write the proxy's configuration; port 0 takes free ports."""
    file.write_text(f"""\
listeners:
  - name: in
    address: 127.0.0.1:0
    cluster: app
clusters:
  - name: app
    endpoints: [{", ".join(origin.address for origin in origins)}]
admin:
  address: 127.0.0.1:0
access_log:
  path: {file.parent / "access.log"}
workers: 1
drain_timeout_ms: 2000
""")


def show_traffic(address: str, admin: str, log: Path) -> None:
    """Send requests; show who answered and what the proxy says about it."""
    heading(f"{REQUESTS} requests to the proxy, each on a new connection: curl http://{address}/")
    answers = count_answers(address, REQUESTS)
    show("\n".join(f"{count:3} x {answer}" for answer, count in sorted(answers.items())))
    if len(answers) < 2:
        raise DemoError("only one of the two origins was asked")

    records = wait_for_lines(log, REQUESTS)
    heading(f"The last of {len(records)} access-log records: {log}")
    show("\n".join(records[-2:]))

    heading(f"Its counters: curl http://{admin}/stats")
    lines = get(admin, "/stats").splitlines()
    show("\n".join([line for line in lines if "cx_total" in line or "cx_active" in line][:8]))

    heading(f"Its clusters: curl http://{admin}/clusters")
    show("\n".join(get(admin, "/clusters").splitlines()[:8]))


def show_reload(proxy: Proxy, address: str, config: Path, origins: list[Origin]) -> None:
    """Take an origin out by a reload; show that an open connection lives on."""
    heading(f"A reload that takes {origins[0].name} out: edit {config.name}, kill -HUP {proxy.process.pid}")
    kept = LongConnection(address)
    with contextlib.closing(kept):
        before = kept.ask()
        write_config(config, origins[1:])
        proxy.process.send_signal(signal.SIGHUP)
        wanted = {f"hello from {origins[1].name}"}
        end = time.monotonic() + LIMIT_S
        while set(answers := count_answers(address, 4)) != wanted:
            if time.monotonic() > end:
                raise DemoError(f"the reload did not show: {dict(answers)}")
            time.sleep(0.05)
        show(f"new connections:         {answers.total()} x {wanted.pop()}")
        show(f"one opened before it:    {before}; and, after it, still: {kept.ask()}")


def look_around(address: str, admin: str, config: Path) -> None:
    """Stay up until Ctrl-C, if there is somebody to press it."""
    heading("Where to look next")
    show(f"traffic   curl http://{address}/")
    show(f"admin     curl http://{admin}/stats/prometheus   (/ready /listeners /clusters /config_dump)")
    show(f"config    {config}; every field: docs/configuration.md")
    show("reading   README.md, then ARCHITECTURE.md")
    if sys.stdin.isatty():
        heading("All of it is running. Ctrl-C stops it.")
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()


def run(folder: Path, cleanup: contextlib.ExitStack) -> None:
    """Start everything, leaving to `cleanup` how to stop it, and show it."""
    origins = []
    for name in ("apple", "banana"):
        origins.append(Origin(name))
        cleanup.callback(origins[-1].stop)
    config = folder / "proxy.yaml"
    write_config(config, origins)
    heading(f"hopmesh proxy --config {config}")
    show(config.read_text())

    proxy = Proxy(config)
    cleanup.callback(proxy.stop)
    proxy.wait_for(lambda event: event.get("event") == "ready")
    address = proxy.wait_for(lambda event: event.get("listener") == "in")["address"]
    admin = proxy.wait_for(lambda event: event.get("event") == "admin listening")["address"]

    show_traffic(address, admin, folder / "access.log")
    show_reload(proxy, address, config, origins)
    look_around(address, admin, config)

    heading("Stopping: SIGTERM drains the proxy")
    show(f"exit code {proxy.stop()}")


def main() -> int:
    """Run the demo; return 0 when everything that it shows happened."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="hopmesh-demo-") as folder, contextlib.ExitStack() as cleanup:
        try:
            run(Path(folder), cleanup)
        except KeyboardInterrupt:
            return 130
        except (DemoError, OSError, subprocess.CalledProcessError) as error:
            print(f"\ndemo: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A proxy that cannot start says why on standard error, exits with 1, and leaves nothing behind."""

import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.support.process import (
    COMMAND,
    REPOSITORY,
    ProxyProcess,
    call_cli,
    one_listener,
    run_cli,
    running,
    stop_process,
    until,
    write_config,
)
from tests.support.process_traffic import ask, connect


def refuse(folder: Path, config: dict) -> str:
    """What a start with this configuration says on standard error."""
    done = run_cli("proxy", "--config", write_config(folder / "proxy.yaml", config))
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    return done.stderr


def test_every_fault_of_a_bad_file_is_told(folder: Path) -> None:
    path = folder / "bad.yaml"
    path.write_text(
        "workers: 0\n"
        "listeners:\n"
        "  - {name: in, address: nowhere, cluster: gone}\n"
        "  - {name: in, address: '127.0.0.1:0', cluster: gone, colour: red}\n"
    )
    done = run_cli("proxy", "--config", path)
    assert (done.returncode, done.stdout) == (1, "")
    lines = done.stderr.splitlines()
    assert all(line.startswith(f"{path}:") for line in lines)
    for where in ("workers:", "listeners[0].address:", "listeners[1].colour", "listeners[1].name:"):
        assert sum(where in line for line in lines) == 1, done.stderr
    assert not any("{" in line for line in lines)


def test_a_missing_file(folder: Path) -> None:
    done = run_cli("proxy", "--config", folder / "missing.yaml")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"{folder}/missing.yaml: cannot be read: No such file or directory\n"


def test_no_file_at_all() -> None:
    done = run_cli("proxy")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--config" in done.stderr


def test_ports_in_use_are_all_told(folder: Path, echo: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as first, socket.create_server(("127.0.0.1", 0)) as second:
        config = one_listener(echo)
        config["listeners"] = [
            {"name": f"in{index}", "address": f"127.0.0.1:{each.getsockname()[1]}", "cluster": "app"}
            for index, each in enumerate((first, second))
        ]
        lines = refuse(folder, config).splitlines()
    assert len(lines) == 2
    for index, line in enumerate(lines):
        assert f"listeners[{index}].address: cannot listen on 127.0.0.1:" in line and "in use" in line


@pytest.mark.parametrize("workers", [1, 2])
def test_two_proxies_do_not_share_a_port_by_mistake(folder: Path, echo: str, workers: int) -> None:
    """SO_REUSEPORT would allow it: half of the connections would go to the one that was forgotten."""
    with running(folder, one_listener(echo, workers=workers)) as proxy:
        config = one_listener(echo, proxy.address(), workers=workers)
        assert "in use" in refuse(folder, config)
        with connect(proxy.address()) as client:
            ask(client, b"still there")


def test_the_admin_port_in_use(folder: Path, echo: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = one_listener(echo, admin={"address": f"127.0.0.1:{taken.getsockname()[1]}"})
        config["listeners"][0]["address"] = f"unix:{folder}/in.sock"
        assert "admin.address: cannot listen on 127.0.0.1:" in refuse(folder, config)
    assert not (folder / "in.sock").exists()


def test_an_access_log_without_a_directory(folder: Path, echo: str) -> None:
    config = one_listener(echo, f"unix:{folder}/in.sock", access_log={"path": str(folder / "missing/access.log")})
    message = refuse(folder, config)
    assert "access_log.path: cannot open" in message and "No such file or directory" in message
    assert not (folder / "in.sock").exists()


@pytest.mark.parametrize("path", ["/tmp/nul\0character", "/tmp", "/dev/null/access.log", "/" + "x" * 300])
def test_an_access_log_that_can_be_no_file(folder: Path, echo: str, path: str) -> None:
    message = refuse(folder, one_listener(echo, f"unix:{folder}/in.sock", access_log={"path": path}))
    assert "access_log.path:" in message and "\0" not in message
    assert not (folder / "in.sock").exists()


@pytest.mark.parametrize("place", ["listener", "admin"])
class TestTheFileOfAUnixSocket:
    """The same rules for a listener and for the admin endpoint."""

    def config(self, place: str, echo: str, path: Path) -> dict:
        if place == "admin":
            return one_listener(echo, admin={"address": f"unix:{path}"})
        return one_listener(echo, f"unix:{path}")

    def test_that_a_killed_proxy_left_is_used_again(self, folder: Path, echo: str, place: str) -> None:
        path = folder / "proxy.sock"
        config = self.config(place, echo, path)
        with ProxyProcess(write_config(folder / "proxy.yaml", config)) as killed:
            killed.wait_for("ready")
            killed.signal(signal.SIGKILL)
            assert killed.wait() == -signal.SIGKILL
        assert path.is_socket()
        with running(folder, config):
            connect(f"unix:{path}").close()
        assert not path.exists()

    def test_on_which_another_process_listens_is_left_alone(self, folder: Path, echo: str, place: str) -> None:
        path = folder / "proxy.sock"
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(path))
            other.listen(8)
            assert "in use" in refuse(folder, self.config(place, echo, path))
            connect(f"unix:{path}").close()

    def test_whose_process_hangs_with_a_full_backlog_is_left_alone(self, folder: Path, echo: str, place: str) -> None:
        path = folder / "proxy.sock"
        with socket.socket(socket.AF_UNIX) as other, socket.socket(socket.AF_UNIX) as waiting:
            other.bind(str(path))
            other.listen(0)
            waiting.connect(str(path))
            assert "in use" in refuse(folder, self.config(place, echo, path))

    def test_that_is_no_socket_is_left_alone(self, folder: Path, echo: str, place: str) -> None:
        path = folder / "precious"
        path.write_text("data")
        assert "in use" in refuse(folder, self.config(place, echo, path))
        assert path.read_text() == "data"

    def test_in_a_missing_directory(self, folder: Path, echo: str, place: str) -> None:
        message = refuse(folder, self.config(place, echo, folder / "missing/proxy.sock"))
        assert "No such file or directory" in message


def test_a_file_name_that_is_not_text(folder: Path, echo: str) -> None:
    path = folder / "\udcff.yaml"
    with ProxyProcess(write_config(path, one_listener(echo))) as proxy:
        proxy.wait_for("ready")
        path.write_text("workers: none")
        assert "workers" in proxy.reload(outcome="reload refused")["faults"][0]
        assert proxy.stop() == 0


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"])
def test_standard_streams_that_are_closed(folder: Path, echo: str, closed: str) -> None:
    """Whoever started it closed them: no socket takes their numbers, and nothing is written into one."""
    config = one_listener(echo, f"unix:{folder}/in.sock", access_log={"path": "/dev/stdout"})
    path = write_config(folder / "proxy.yaml", config)
    script = f'exec "$@" {closed}'
    command = ["sh", "-c", script, "sh", *COMMAND, "proxy", "--config", str(path)]
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: answers(f"unix:{folder}/in.sock", process), "it relays")
        for descriptor in range(3):
            assert not str(Path(f"/proc/{process.pid}/fd/{descriptor}").readlink()).startswith("socket:")
        process.terminate()
        assert process.wait(20) == 0
    finally:
        stop_process(process)


def answers(address: str, process: subprocess.Popen[bytes]) -> bool:
    """Whether something is relayed to the echo origin and back; fails when the process has ended."""
    assert process.poll() is None
    try:
        with connect(address) as client:
            ask(client, b"hello")
    except OSError:
        return False
    return True


def test_validate_takes_what_proxy_takes(folder: Path, echo: str) -> None:
    path = write_config(folder / "proxy.yaml", one_listener(echo))
    assert call_cli("validate", path).returncode == 0
    path.write_text("workers: none")
    assert call_cli("validate", path).returncode == 1


def test_too_few_descriptors_for_its_workers(folder: Path, echo: str) -> None:
    """Whatever is missing, the process ends by itself and with words."""
    path = write_config(folder / "proxy.yaml", one_listener(echo, workers=64))
    command = ["prlimit", "--nofile=60:60", *COMMAND, "proxy", "--config", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=REPOSITORY)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Too many open files" in done.stderr and "Traceback" not in done.stderr


def test_a_client_that_was_there_first_does_not_keep_the_port(folder: Path, echo: str) -> None:
    """A restart right after a stop: connections of the old process are still in the kernel's tables."""
    with running(folder, one_listener(echo)) as proxy:
        address = proxy.address()
        with connect(address) as client:
            ask(client, b"hello")
            assert proxy.stop() == 0
    with running(folder, one_listener(echo, address)) as proxy, connect(address) as client:
        assert proxy.address() == address
        ask(client, b"hello again")

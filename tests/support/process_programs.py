"""The programs that other people wrote, at the far end of a proxy: nginx, Redis, PostgreSQL, socat, openssl.

Each is a context manager over a throwaway directory, on a Unix socket where it can, so that no port is chosen.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.process import LIMIT_S, stop_process, until


def program(name: str, *folders: str) -> str:
    """Where a program is; skips the test on a machine without it."""
    places = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin", *folders])
    found = shutil.which(name, path=places)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@contextmanager
def child(command: Sequence[str | Path], log: Path, user: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A program that runs in the background, its output in `log`; killed at the end."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            [os.fspath(each) for each in command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=log.parent,
            user=user,
            group=user,
        )
    try:
        yield process
    finally:
        stop_process(process)


def wait_for_socket(path: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until somebody accepts connections on a Unix socket."""

    def accepts() -> bool:
        assert process.poll() is None, log.read_text()
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(path)) == 0

    until(accepts, f"{process.args!r} listens")


NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/t1;
    proxy_temp_path {folder}/t2;
    fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4;
    scgi_temp_path {folder}/t5;
    server {{
        listen unix:{folder}/nginx.sock;
        root {folder}/www;
        location /slow/ {{ alias {folder}/www/; limit_rate 8m; }}
        location /connection {{ default_type text/plain; return 200 "$connection $connection_requests\\n"; }}
        {more}
    }}
}}
"""


@contextmanager
def nginx(folder: Path, more: str = "") -> Iterator[str]:
    """nginx serving `folder`/www, and /connection, which tells connections apart. Gives its address.

    `more`: directives of its server.
    """
    (folder / "www").mkdir(exist_ok=True)
    config, log = folder / "nginx.conf", folder / "nginx.log"
    config.write_text(NGINX.format(folder=folder, more=more))
    with child([program("nginx"), "-p", folder, "-e", "stderr", "-c", config], log) as process:
        wait_for_socket(folder / "nginx.sock", process, log)
        yield f"unix:{folder}/nginx.sock"


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """A Redis that keeps nothing. Gives its address."""
    path, log = folder / "redis.sock", folder / "redis.log"
    command = [
        program("redis-server"),
        *("--port", "0", "--unixsocket", os.fspath(path), "--save", "", "--appendonly", "no"),
        *("--dir", os.fspath(folder)),
    ]
    with child(command, log) as process:
        wait_for_socket(path, process, log)
        yield f"unix:{path}"


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A PostgreSQL with a database of its own, user "test", no password. Gives its address."""
    newest = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    folders = [str(path) for path in reversed(newest)]
    initdb, server = program("initdb", *folders), program("postgres", *folders)
    user = None
    data, log = folder / "data", folder / "postgres.log"
    data.mkdir()
    if os.getuid() == 0:
        # PostgreSQL refuses to run as root.
        user = 65534
        for path in (data, folder):
            os.chown(path, user, user)
        if not _enters(user, folder):
            pytest.skip("PostgreSQL does not run as root, and nobody else may enter the temporary directory")
    options = ["-A", "trust", "-U", "test", "-E", "UTF8", "--no-sync", "--locale=C"]
    subprocess.run(
        [initdb, "-D", data, *options], check=True, user=user, group=user, cwd=folder, capture_output=True,
        timeout=120,
    )  # fmt: skip
    settings = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}", "-c", "fsync=off"]
    with child([server, "-D", data, *settings], log, user) as process:
        wait_for_socket(folder / ".s.PGSQL.5432", process, log)
        yield f"unix:{folder}/.s.PGSQL.5432"


def _enters(user: int, folder: Path) -> bool:
    """Whether another user gets into a directory: pytest's own are closed to others further up."""
    done = subprocess.run(["test", "-x", folder], user=user, group=user, cwd="/", check=False, timeout=LIMIT_S)
    return done.returncode == 0


def run_program(
    command: Sequence[str | Path], data: bytes = b"", *, check: bool = True, limit_s: float = 60.0
) -> bytes:
    """Run a client program to its end; returns what it wrote to standard output."""
    done = subprocess.run(
        [os.fspath(each) for each in command], input=data, capture_output=True, check=False, timeout=limit_s
    )
    assert not check or done.returncode == 0, f"{command[0]}: {done.returncode}: {done.stderr.decode()}"
    return done.stdout

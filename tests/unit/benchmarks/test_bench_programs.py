"""The benchmark's own programs, with one another: the origin, the floor and the loads."""

import json
import os
import socket
import subprocess
from contextlib import contextmanager

import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.measure.answers import BODY, check_answer
from benchmarks.network import free_port
from benchmarks.origin import Origin
from benchmarks.processes import Program, wait_until
from benchmarks.programs import program

CPUS = frozenset(os.sched_getaffinity(0))


@contextmanager
def _floor(origin, directory):
    """Run the floor for HTTP in front of an origin; give its port."""
    port = free_port()
    argv = [str(program("http")), str(port), str(origin.port)]
    with Program(argv, cpus=CPUS, log=directory / "floor.log") as floor:

        def listening():
            floor.check()
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        wait_until(listening, 10, "the floor's start")
        yield port


@pytest.fixture
def served(tmp_path):
    """Give an origin that answers small requests, and the port of the floor before it."""
    with Origin("http", CPUS, tmp_path) as origin, _floor(origin, tmp_path) as port:
        yield origin, port


def _run(name, *arguments):
    return subprocess.run([str(program(name)), *map(str, arguments)], capture_output=True, text=True, check=False,
                          timeout=30)


def test_the_floor_answers_as_the_origin_does(served):
    origin, port = served
    assert check_answer(port) == check_answer(origin.port)


def test_the_floor_keeps_its_upstream_connection(served):
    origin, port = served
    for _ in range(3):
        check_answer(port)
    counts = origin.counts()
    assert (counts.requests, counts.accepted) == (3, 1)


def test_the_floor_serves_one_request_after_another_and_ends_when_asked(served):
    _, port = served
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        for fields in (b"", b"Connection: close\r\n"):
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n")
            data = b""
            while not data.endswith(BODY):
                data += connection.recv(4096)
        assert connection.recv(1) == b""


def test_new_connections_share_the_pool(served):
    origin, port = served
    report = json.loads(_run("connect", port, 4, 1).stdout)
    counts = origin.counts()
    assert counts.accepted <= 4
    assert 0 < report["connections"] <= counts.requests


def test_large_bodies_arrive_whole(tmp_path):
    with Origin("bodies", CPUS, tmp_path) as origin, _floor(origin, tmp_path) as port:
        done = _run("http_bulk", port, 2, 1)
        assert done.returncode == 0, done.stderr
        report = json.loads(done.stdout)
        counts = origin.counts()
    assert report["answers"] >= 1
    assert report["bytes"] <= counts.bytes
    assert counts.requests <= report["answers"] + 2
    assert counts.accepted == 2


@pytest.mark.parametrize(("load", "arguments"), [("connect", (1, 1)), ("idle", (1, 30)), ("http_bulk", (1, 1))])
@pytest.mark.parametrize("answer", [
    b"HTTP/1.1 503 No\r\nContent-Length: 100\r\n\r\n" + BODY,
    b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + BODY[1:],
    b"HTTP/1.1 200 OK\r\nX: y\r\n\r\n" + BODY])
def test_a_wrong_answer_ends_a_load(load, arguments, answer):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        command = [str(program(load)), str(listener.getsockname()[1]), *map(str, arguments)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)
                _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "not a 200 with a body of" in errors


def test_an_idle_connection_that_ends_is_an_error(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        argv = [str(program("idle")), str(listener.getsockname()[1]), "1", "60"]
        with Program(argv, cpus=CPUS, log=tmp_path / "idle.log") as load:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + BODY)
                wait_until(lambda: "ready" in load.output(), 10, "the load's connection")
            with pytest.raises(BenchmarkError, match="did not rest"):
                load.wait(10)

"""The access log of a process: its records, its rotation, and a file that takes nothing."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from tests.support.process import one_listener, running, until
from tests.support.process_traffic import ask, connect, counters, echo_origin


def exchange(address: str, message: bytes = b"hello") -> None:
    with connect(address) as client:
        ask(client, message)


def records(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]


def test_every_connection_has_its_record_by_the_time_the_process_has_ended(folder: Path, echo: str) -> None:
    path = folder / "access.log"
    with running(folder, one_listener(echo, access_log={"path": str(path)})) as proxy:
        address = proxy.address()
        for size in range(1, 51):
            exchange(address, b"x" * size)
        assert proxy.stop() == 0
    found = records(path)
    assert sorted(each["bytes_received"] for each in found) == list(range(1, 51))
    assert {(each["bytes_received"] - each["bytes_sent"], each["response_flags"]) for each in found} == {(0, "-")}
    assert {(each["listener"], each["upstream_cluster"], each["upstream_host"]) for each in found} == {
        ("in", "app", echo)
    }


def test_rotation_loses_nothing(folder: Path, echo: str) -> None:
    path, moved = folder / "access.log", folder / "access.log.1"
    with running(folder, one_listener(echo, access_log={"path": str(path)})) as proxy:
        address = proxy.address()
        exchange(address, b"1")
        until(lambda: len(records(path)) == 1, "the first record")
        path.rename(moved)
        # Until it is told, it goes on in the file that it has.
        exchange(address, b"22")
        until(lambda: len(records(moved)) == 2, "the second record")
        proxy.signal(signal.SIGUSR1)
        until(path.exists, "the new file")
        exchange(address, b"333")
        until(lambda: len(records(path)) == 1, "the third record")
        assert [each["bytes_received"] for each in records(moved) + records(path)] == [1, 2, 3]


def test_a_rotation_that_fails_goes_on_in_the_old_file(folder: Path, echo: str) -> None:
    logs, moved = folder / "logs", folder / "moved"
    logs.mkdir()
    with running(folder, one_listener(echo, access_log={"path": str(logs / "access.log")})) as proxy:
        logs.rename(moved)
        proxy.signal(signal.SIGUSR1)
        assert proxy.wait_for("access log not reopened")["reason"] == "No such file or directory"
        exchange(proxy.address())
        until(lambda: len(records(moved / "access.log")) == 1, "the record")


def test_a_rotation_without_an_access_log_is_nothing(folder: Path, echo: str) -> None:
    with running(folder, one_listener(echo)) as proxy:
        proxy.signal(signal.SIGUSR1)
        exchange(proxy.address())


def test_standard_output_takes_it(folder: Path, echo: str) -> None:
    with running(folder, one_listener(echo, access_log={"path": "/dev/stdout"})) as proxy:
        exchange(proxy.address())
        assert proxy.stop() == 0
        assert proxy.process.stdout is not None
        (line,) = proxy.process.stdout.read().splitlines()
    assert json.loads(line)["bytes_sent"] == 5


@pytest.mark.parametrize("reader", ["none", "one that does not read"])
def test_a_pipe_that_nobody_reads_stops_nothing(folder: Path, reader: str) -> None:
    path = folder / "pipe"
    os.mkfifo(path)
    descriptor = None if reader == "none" else os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with echo_origin() as echo, running(folder, one_listener(echo, access_log={"path": str(path)})) as proxy:
            address = proxy.address()
            # A record has some 400 bytes: more than the 64 KiB of a pipe.
            for _ in range(400):
                exchange(address)
            assert counters(proxy.admin, "listener.in.downstream_cx_total") == {"listener.in.downstream_cx_total": 400}
            proxy.reload()
            exchange(address)
            began = time.monotonic()
            assert proxy.stop() == 0
            assert time.monotonic() - began < 15
            assert proxy.wait_for("access log not written to its end")["bytes_lost"] > 10_000
    finally:
        if descriptor is not None:
            os.close(descriptor)


def test_a_pipe_whose_reader_comes_late_gets_what_was_written(folder: Path, echo: str) -> None:
    path = folder / "pipe"
    os.mkfifo(path)
    with running(folder, one_listener(echo, access_log={"path": str(path)})) as proxy:
        exchange(proxy.address())
        with path.open("rb") as reader:
            assert json.loads(reader.readline())["bytes_received"] == 5


def test_a_disk_that_is_full_stops_nothing_and_is_counted(folder: Path, echo: str) -> None:
    with running(folder, one_listener(echo, access_log={"path": "/dev/full"})) as proxy:
        exchange(proxy.address())
        name = "server.access_bytes_dropped"
        until(lambda: counters(proxy.admin, name)[name] > 100, "what is lost is counted")
        exchange(proxy.address())

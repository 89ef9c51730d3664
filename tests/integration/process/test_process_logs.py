"""The process log: JSON lines for machines, plain words for people."""

import contextlib
import json
import os
import pty
import signal
from pathlib import Path

import pytest

from tests.support.process import LIMIT_S, ProxyProcess, one_listener, running, until, write_config
from tests.support.process_traffic import admin, ask, connect


def catches(proxy: ProxyProcess, number: signal.Signals) -> bool:
    """Whether it has a handler for a signal, and will not die of it."""
    lines = Path(f"/proc/{proxy.process.pid}/status").read_text().splitlines()
    mask = next(line for line in lines if line.startswith("SigCgt"))
    return bool(int(mask.split()[1], 16) & 1 << (number - 1))


def test_every_line_is_json_where_no_terminal_is(folder: Path, echo: str) -> None:
    with running(folder, one_listener(echo)) as proxy:
        with connect(proxy.address()) as client:
            ask(client, b"hello")
        proxy.reload()
        assert proxy.stop() == 0
        events = [json.loads(line) for line in proxy.lines]
        assert proxy.process.stdout is not None and proxy.process.stdout.read() == b""
    assert all({"event", "level", "timestamp"} <= each.keys() for each in events)
    names = [each["event"] for each in events]
    assert names == ["admin listening", "listening", "ready", "listening", "reloaded", "draining", "stopped"]
    assert events[2]["workers"] == 1 and events[2]["version"]


@pytest.mark.parametrize("level", ["warning", "error"])
def test_a_level_hides_what_is_below_it(folder: Path, echo: str, level: str) -> None:
    with ProxyProcess(write_config(folder / "proxy.yaml", one_listener(echo)), "--log-level", level) as proxy:
        until(lambda: catches(proxy, signal.SIGHUP), "it handles signals")
        proxy.config.write_text("workers: none")
        proxy.reload(outcome="reload refused")
        assert proxy.stop() == 0
        assert len(proxy.lines) == 1


def test_the_level_is_changed_while_it_runs(folder: Path, echo: str) -> None:
    with running(folder, one_listener(echo)) as proxy:
        address = proxy.admin
        assert admin(address, "/logging", "POST").text == "level: info\n"
        assert admin(address, "/logging?level=error", "POST").text == "level: error\n"
        assert admin(address, "/logging?level=loud", "POST").status == 400
        assert admin(address, "/logging", "POST").text == "level: error\n"
        before = len(proxy.lines)
        proxy.signal(signal.SIGHUP)
        until(lambda: json.loads(admin(address, "/config_dump").body)["version"] == 2, "the reload")
        assert len(proxy.lines) == before
        assert admin(address, "/logging?level=debug", "POST").status == 200
        proxy.reload()


def test_on_a_terminal_it_is_for_people(folder: Path, echo: str) -> None:
    terminal, its_end = pty.openpty()
    try:
        config = write_config(folder / "proxy.yaml", one_listener(echo))
        with ProxyProcess(config, stderr=its_end) as proxy:
            os.close(its_end)
            os.set_blocking(terminal, False)
            shown = bytearray()

            def shows(words: bytes) -> bool:
                with contextlib.suppress(BlockingIOError):
                    shown.extend(os.read(terminal, 65536))
                return words in shown

            until(lambda: shows(b"ready"), "it says that it is ready")
            assert proxy.stop() == 0
        assert not any(line.startswith(b"{") for line in shown.splitlines())
        assert b"\x1b[" in shown
    finally:
        os.close(terminal)


def test_a_log_pipe_that_is_full_holds_up_no_signal(folder: Path, echo: str) -> None:
    """Nobody reads standard error, and it is full: signals are heard, and the proxy relays and ends."""
    reading, writing = os.pipe()
    try:
        os.set_blocking(writing, False)
        try:
            while os.write(writing, b"x" * 4096):
                pass
        except BlockingIOError:
            os.set_blocking(writing, True)
        config = one_listener(echo, f"unix:{folder}/in.sock")
        with ProxyProcess(write_config(folder / "proxy.yaml", config), stderr=writing) as proxy:
            until((folder / "in.sock").exists, "it listens", LIMIT_S)
            with connect(f"unix:{folder}/in.sock") as client:
                ask(client, b"hello")
            # Its handlers are set after it has begun to listen.
            until(lambda: catches(proxy, signal.SIGTERM), "it handles signals")
            assert proxy.stop() == 0
    finally:
        os.close(reading)
        os.close(writing)

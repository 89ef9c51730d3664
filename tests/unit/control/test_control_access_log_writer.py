"""The thread that writes access records: order, bounds, rotation, slow and broken files."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from mesh_core.config import ConfigError
from mesh_core.control import access_log_writer
from mesh_core.control.access_log_writer import AccessLogWriter


def test_lines_are_appended_in_order(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_bytes(b"earlier\n")
    writer = AccessLogWriter(str(path), "test")
    for number in range(1000):
        writer.write(b"%d\n" % number)
    writer.close()
    assert path.read_bytes() == b"earlier\n" + b"".join(b"%d\n" % number for number in range(1000))
    assert writer.bytes_dropped == 0


def test_a_new_file_is_not_for_everybody(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    AccessLogWriter(str(path), "test").close()
    assert path.stat().st_mode & 0o007 == 0


def test_reopen_goes_on_in_a_new_file(tmp_path: Path) -> None:
    path, rotated = tmp_path / "access.log", tmp_path / "access.log.1"
    writer = AccessLogWriter(str(path), "test")
    writer.write(b"before\n")
    path.rename(rotated)
    writer.write(b"still before\n")
    writer.reopen()
    writer.write(b"after\n")
    writer.close()
    assert rotated.read_bytes() == b"before\nstill before\n"
    assert path.read_bytes() == b"after\n"


def test_a_failed_reopen_keeps_the_old_file(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    writer = AccessLogWriter(str(folder / "a"), "test")
    folder.rename(tmp_path / "moved")
    with pytest.raises(OSError, match="No such file"):
        writer.reopen()
    writer.write(b"line\n")
    writer.close()
    assert (tmp_path / "moved" / "a").read_bytes() == b"line\n"


def test_what_cannot_be_opened_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        AccessLogWriter(str(tmp_path / "missing" / "a"), "proxy.yaml")
    (fault,) = caught.value.faults
    assert fault.path == "access_log.path"
    assert "missing/a" in fault.message


def test_a_file_that_takes_nothing_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A named pipe that nobody reads: its buffer, then our bound, and then lines are dropped and counted."""
    monkeypatch.setattr(access_log_writer, "PENDING_LIMIT_BYTES", 300_000)
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    writer = AccessLogWriter(str(path), "test")
    line = b"x" * 999 + b"\n"
    offered = 2000
    for _ in range(offered):
        writer.write(line)
    assert 0 < writer.bytes_dropped < offered * len(line)
    kept = offered * len(line) - writer.bytes_dropped
    os.set_blocking(reader, True)
    closer = threading.Thread(target=writer.close, args=(30,))
    closer.start()
    read = 0
    while read < kept:
        part = os.read(reader, 1 << 16)
        assert part
        assert part.replace(line, b"").strip(b"x\n") == b""
        read += len(part)
    closer.join()
    os.close(reader)
    assert read == kept


def test_a_close_gives_up_on_a_file_that_takes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    writer = AccessLogWriter(str(path), "test")
    writer.write(b"x" * 1_000_000)
    writer.close(patience_s=0.05)
    # Free the thread: a daemon may wait for ever, a test should not leave one.
    os.set_blocking(reader, True)
    read = 0
    while read < 1_000_000:
        read += len(os.read(reader, 1 << 16))
    os.close(reader)


def test_a_write_that_fails_is_counted() -> None:
    writer = AccessLogWriter("/dev/full", "test")
    writer.write(b"no room\n")
    writer.close()
    assert writer.bytes_dropped == 8

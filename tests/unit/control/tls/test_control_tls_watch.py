"""Files that change are noticed once they have settled; certificates that end are told once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from mesh_core.config import load_builtins
from mesh_core.control.tls.contexts import Prepared, TlsContexts
from mesh_core.control.tls.watch import DATES_INTERVAL_S, TlsWatch
from tests.support.certificates import Authority, Files

ROOT = Authority("root")


class Loop:
    """The clock of a loop, turned by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[tuple[float, Callable[..., None], tuple[Any, ...], _Handle]] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay_s: float, function: Callable[..., None], *arguments: Any) -> _Handle:
        handle = _Handle()
        self.timers.append((self.now + delay_s, function, arguments, handle))
        return handle

    def turn(self, seconds: float) -> None:
        end = self.now + seconds
        while due := [each for each in self.timers if each[0] <= end and not each[3].cancelled]:
            timer = min(due, key=lambda each: each[0])
            self.timers.remove(timer)
            self.now = timer[0]
            timer[1](*timer[2])
        self.now = end

    @property
    def idle(self) -> bool:
        return all(each[3].cancelled for each in self.timers)


class _Handle(asyncio.Handle):
    def __init__(self) -> None:
        self.cancelled = False  # type: ignore[assignment, method-assign]

    def cancel(self) -> None:
        self.cancelled = True  # type: ignore[assignment, method-assign]


class Watched:
    """A watch of one certificate, its key and its CA, and how often it has told of a change."""

    def __init__(self, folder: Path, days: tuple[float, float] = (-1, 30)) -> None:
        self.folder = folder
        self.loop = Loop()
        self.changes = 0
        self.watch = TlsWatch(self.changed)
        self.files: Files = ROOT.issue(days=days).write(folder)
        self.trusted_ca = ROOT.write(folder)
        self.take()

    def changed(self) -> None:
        self.changes += 1

    def prepare(self) -> Prepared:
        tls = {"certificate": self.files.certificate, "key": self.files.key, "trusted_ca": self.trusted_ca}
        listener = {"name": "in", "address": "127.0.0.1:0", "cluster": "app", "tls": tls}
        settings = {"listeners": [listener], "clusters": [{"name": "app", "endpoints": []}]}
        return TlsContexts().prepare(load_builtins(settings), "f")

    def take(self) -> None:
        self.watch.watch(self.prepare(), self.loop)  # type: ignore[arg-type]


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def test_nothing_changes(watched: Watched) -> None:
    watched.loop.turn(3600)
    assert watched.changes == 0


def test_a_change_is_told_once(watched: Watched) -> None:
    ROOT.issue().write(watched.folder)
    watched.loop.turn(2)
    assert watched.changes == 0
    watched.loop.turn(2)
    assert watched.changes == 1
    watched.loop.turn(60)
    assert watched.changes == 1
    watched.take()
    watched.loop.turn(60)
    assert watched.changes == 1


def test_what_is_being_written_is_waited_for(watched: Watched) -> None:
    for _ in range(5):
        ROOT.issue().write(watched.folder)
        watched.loop.turn(2)
    assert watched.changes == 0
    watched.loop.turn(2)
    assert watched.changes == 1


def test_a_file_that_goes_and_comes_back(watched: Watched) -> None:
    path = Path(watched.files.key)
    beside = path.rename(path.with_name("away"))
    watched.loop.turn(2)
    beside.rename(path)
    watched.loop.turn(60)
    assert watched.changes == 0
    path.unlink()
    watched.loop.turn(60)
    assert watched.changes == 1


def test_a_change_between_reading_and_watching_is_seen(watched: Watched) -> None:
    prepared = watched.prepare()
    ROOT.issue().write(watched.folder)
    watched.watch.watch(prepared, watched.loop)  # type: ignore[arg-type]
    watched.loop.turn(4)
    assert watched.changes == 1


def test_a_link_that_leads_elsewhere(watched: Watched, tmp_path: Path) -> None:
    # As Kubernetes mounts secrets.
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        ROOT.issue().write(tmp_path / name)
    (tmp_path / "data").symlink_to("one")
    watched.files = Files(str(tmp_path / "data/leaf.pem"), str(tmp_path / "data/leaf.key"))
    watched.take()
    (tmp_path / "data.new").symlink_to("two")
    (tmp_path / "data.new").rename(tmp_path / "data")
    watched.loop.turn(4)
    assert watched.changes == 1


def test_without_files_nothing_is_done(watched: Watched) -> None:
    watched.watch.watch(Prepared((), {}), watched.loop)  # type: ignore[arg-type]
    assert watched.loop.idle


def test_closed(watched: Watched) -> None:
    watched.watch.close()
    watched.watch.close()
    assert watched.loop.idle


def test_certificates_that_end_are_told_once(tmp_path: Path) -> None:
    with capture_logs() as logged:
        watched = Watched(tmp_path, days=(-20, 1))
        watched.loop.turn(3 * DATES_INTERVAL_S)
        watched.take()
    assert [(each["event"], each["listener"], each["subject"]) for each in logged] == [
        ("certificate expires soon", "in", "CN=leaf")
    ]


def test_a_renewed_certificate_that_ends_too_is_told_again(tmp_path: Path) -> None:
    with capture_logs() as logged:
        watched = Watched(tmp_path, days=(-20, 1))
        ROOT.issue(days=(-20, -1)).write(tmp_path)
        watched.take()
    assert [each["event"] for each in logged] == ["certificate expires soon", "certificate has expired"]

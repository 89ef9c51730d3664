"""The hosts file: what of it counts, and that it is read anew."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from mesh_core.control.dns import hosts_file
from mesh_core.control.dns.hosts_file import HostsFile

TEXT = b"""\
# a comment
127.0.0.1   localhost
192.0.2.1   app.example app  # and another
192.0.2.2   APP.example.
192.0.2.1   app
2001:DB8::1 app
fe80::1%eth0 app
not-an-address app
192.0.2.9
\xff\xfe broken
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "hosts"
    path.write_bytes(TEXT)
    return path


@pytest.mark.parametrize(
    ("name", "family", "addresses"),
    [
        ("app.example", socket.AF_INET, ("192.0.2.1", "192.0.2.2")),
        ("App.Example.", socket.AF_INET, ("192.0.2.1", "192.0.2.2")),
        ("app.example", socket.AF_INET6, ()),
        ("app", socket.AF_INET, ("192.0.2.1",)),
        ("app", socket.AF_INET6, ("2001:db8::1",)),
        ("localhost", socket.AF_INET6, ()),
        ("other", socket.AF_INET, None),
        ("and", socket.AF_INET, None),
        ("broken", socket.AF_INET, None),
    ],
)
def test_what_it_says(path: Path, name: str, family: int, addresses: tuple[str, ...] | None) -> None:
    assert HostsFile(path).find(name, family) == addresses


def test_localhost_needs_no_file(tmp_path: Path) -> None:
    hosts = HostsFile(tmp_path / "none")
    assert hosts.find("localhost", socket.AF_INET) == ("127.0.0.1",)
    assert hosts.find("localhost", socket.AF_INET6) == ("::1",)
    assert hosts.find("app", socket.AF_INET) is None


def test_a_change_is_noticed(path: Path) -> None:
    hosts = HostsFile(path)
    assert hosts.find("app", socket.AF_INET) == ("192.0.2.1",)
    path.write_text("192.0.2.7 app\n")
    os.utime(path, ns=(1, 1))
    assert hosts.find("app", socket.AF_INET) == ("192.0.2.7",)
    path.unlink()
    assert hosts.find("app", socket.AF_INET) is None


def test_a_file_over_the_limit_is_read_up_to_a_whole_line(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts_file, "SIZE_LIMIT_BYTES", 40)
    path.write_text("192.0.2.1 one\n192.0.2.2 two\n192.0.2.3 three\n192.0.2.4 four\n")
    hosts = HostsFile(path)
    found = [hosts.find(name, socket.AF_INET) for name in ("one", "two", "thr", "three")]
    assert found == [("192.0.2.1",), ("192.0.2.2",), None, None]

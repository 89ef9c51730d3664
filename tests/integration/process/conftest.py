"""What every test of the process starts from: a directory of its own, and an origin that echoes."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.channel_server import RunningChannelServer
from tests.support.process_traffic import echo_origin


@pytest.fixture
def folder() -> Iterator[Path]:
    """A directory with a short path, as Unix sockets need, which other users may enter, as PostgreSQL needs."""
    path = Path(tempfile.mkdtemp(prefix="hopmesh-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def echo() -> Iterator[str]:
    """The address of an origin that sends back what it gets."""
    with echo_origin() as address:
        yield address


@pytest.fixture
def channel(folder: Path) -> Iterator[RunningChannelServer]:
    """A control plane reduced to its channel, on a Unix socket."""
    with RunningChannelServer(f"unix:{folder}/channel.sock") as server:
        yield server

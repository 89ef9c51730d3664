"""What every test of the process starts from: a directory of its own, and an origin that echoes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.channel_server import RunningChannelServer
from tests.support.process import short_folder
from tests.support.process_traffic import echo_origin


@pytest.fixture
def folder() -> Iterator[Path]:
    """A directory of the test's own."""
    with short_folder() as path:
        yield path


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

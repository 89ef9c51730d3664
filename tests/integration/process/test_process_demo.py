"""The demo, as a newcomer runs it but for the terminal. The slowest of these tests."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.process import REPOSITORY

HAS_DEMO = importlib.util.find_spec("demo") is not None
HAS_COMMAND = Path(sys.executable).with_name("hopmesh").exists()


@pytest.mark.skipif(not HAS_DEMO, reason="the demo is not part of this tree")
@pytest.mark.skipif(not HAS_COMMAND, reason="hopmesh is not installed into this environment")
def test_the_demo_shows_what_it_promises() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "demo"],
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "exit code 0" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr

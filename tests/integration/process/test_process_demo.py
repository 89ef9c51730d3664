"""The demo, as a newcomer runs it but for the terminal. One of the slowest of these tests."""

import importlib.util
import subprocess
import sys

import pytest

from tests.support.process import REPOSITORY

HAS_DEMO = importlib.util.find_spec("demo") is not None


@pytest.mark.skipif(not HAS_DEMO, reason="the demo is not part of this tree")
def test_the_demo_shows_what_it_promises() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "demo", "--seconds", "6"],
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    lines = [line.strip() for line in done.stdout.splitlines()]
    assert "web → orders → stock" in lines
    assert any(line.endswith(" s after the start") for line in lines)
    flows = {tuple(line.split()[:2]): line.split()[2:5] for line in lines if line.endswith(tuple("0123456789"))}
    for edge in (("web", "orders"), ("orders", "stock")):
        requests, _, success = flows[edge]
        assert int(requests) > 10 and success == "100.0"
    answers = next(line for line in lines if line.startswith("the load was answered: "))
    assert answers.endswith(" × 200") and "," not in answers
    assert lines.count("the control plane: exit code 0") == 1
    assert sum(line.endswith("'s sidecar: exit code 0") for line in lines) == 3

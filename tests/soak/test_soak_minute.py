"""The soak of `make soak`, short and light enough for every run of the tests."""

import json
import os
import subprocess
import sys

import pytest

from tests.support.process import REPOSITORY

SECONDS = float(os.environ.get("SOAK_SECONDS", "45"))
# Beyond the soak itself: two starts of the proxy for each restart, and the quiet after it, on a busy machine.
LIMIT_S = SECONDS + 240


@pytest.mark.soak
def test_nothing_is_lost_wrong_or_left_over_in_a_minute_of_chaos(tmp_path):
    report = tmp_path / "report.json"
    # Its processes are nicer than those of the tests beside it, which wait for theirs.
    soak = [sys.executable, "-m", "tests.soak.chaos", "--seconds", str(SECONDS), "--rate", "150", "--report", report]
    done = subprocess.run(
        ["nice", "-n", "5", *soak], cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=LIMIT_S,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert report.exists(), done.stdout + done.stderr
    found = json.loads(report.read_text())
    assert found["passed"], done.stdout
    assert done.returncode == 0
    requests = next(each["value"] for each in found["figures"] if each["name"] == "requests")
    assert requests > 10 * SECONDS
    assert found["done"]["restarted"] >= 1
    assert found["done"]["reloaded"] >= 1

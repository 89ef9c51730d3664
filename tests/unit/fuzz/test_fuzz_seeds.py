"""Every seed of the native fuzz target, in the ordinary build: a broken promise aborts the process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT))

from fuzz.replay import entry_point, seeds  # noqa: E402
from fuzz.targets import TARGETS, Native  # noqa: E402

NATIVE = [name for name, target in TARGETS.items() if isinstance(target, Native)]
EXPECTED = {
    "v1-tcp4", "v1-tcp6", "v1-tcp6-longest", "v1-unknown", "v1-unknown-longest", "v1-cut", "v1-no-line-end",
    "v2-tcp4", "v2-tcp6", "v2-udp4", "v2-unix", "v2-unspec", "v2-local", "v2-local-with-body", "v2-local-any-family",
    "v2-tlvs", "v2-crc32c", "v2-crc32c-wrong", "v2-crc32c-wrong-size", "v2-longest", "v2-tlv-past-the-end",
}  # fmt: skip


@pytest.mark.parametrize("name", NATIVE)
def test_seeds(name: str) -> None:
    fuzz_one = entry_point(name)
    for seed in seeds(name):
        fuzz_one(seed.read_bytes())


def test_the_seeds_show_every_kind_of_header() -> None:
    assert {seed.name for seed in seeds("proxy_protocol")} >= EXPECTED


def test_every_target_has_seeds() -> None:
    for name in TARGETS:
        assert len(list(seeds(name))) >= 10


def test_the_runner_names_its_targets() -> None:
    done = subprocess.run([sys.executable, "-m", "fuzz.run"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert all(name in done.stderr for name in TARGETS)

"""What the scenarios tell the proxy is a configuration, at every reload."""

import json
import random

import pytest

from benchmarks.survival.settings import chaotic, surviving, unchecked
from benchmarks.survival.sidecar import whole
from mesh_core.config.load import load_file

ADDRESSES = [f"127.0.0.1:{port}" for port in range(9001, 9011)]
RELOADS = [chaotic(ADDRESSES, random.Random(seed)) for seed in range(50)]
EVERY = [surviving(ADDRESSES), unchecked(ADDRESSES), chaotic(ADDRESSES), *RELOADS]


@pytest.mark.parametrize("settings", EVERY)
def test_the_proxy_takes_it(settings, tmp_path):
    path = tmp_path / "proxy.yaml"
    path.write_text(json.dumps(whole(settings, 8080, tmp_path)))
    config = load_file(path)
    assert [each.name for each in config.listeners] == ["in"]


def test_a_reload_changes_something():
    assert len({json.dumps(each) for each in RELOADS}) > 40

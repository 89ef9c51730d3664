"""The adapters: what they write and how they start, without starting anything."""

import json
import re

import pytest

from benchmarks.peers import PEERS, Mode, Plan
from benchmarks.peers.envoy import Envoy
from benchmarks.peers.hopmesh import HopmeshWithHog
from benchmarks.peers.nginx import Nginx


@pytest.fixture
def plan(tmp_path):
    return Plan(Mode.TCP, 18001, 18002, tmp_path, sessions=4096)


def test_names_are_the_keys():
    assert {name: peer.name for name, peer in PEERS.items()} == {name: name for name in PEERS}


def test_direct_starts_nothing(plan):
    assert PEERS["direct"].launches(plan) == []


@pytest.mark.parametrize("name", ["hopmesh", "haproxy"])
def test_both_ports_stand_in_the_configuration(plan, name):
    (launch,) = PEERS[name].launches(plan)
    ((file, text),) = launch.files.items()
    assert "127.0.0.1:18001" in text
    assert "127.0.0.1:18002" in text
    assert str(plan.directory / file) in launch.argv


def test_hopmesh_runs_one_worker(plan):
    (launch,) = PEERS["hopmesh"].launches(plan)
    assert launch.files["hopmesh.yaml"] == (
        "workers: 1\n"
        'listeners: [{name: in, address: "127.0.0.1:18001", protocol: tcp, cluster: app}]\n'
        'clusters: [{name: app, endpoints: ["127.0.0.1:18002"]}]\n')


def test_the_hog_gets_its_switch_before_the_arguments_of_hopmesh(plan):
    (launch,) = HopmeshWithHog(plan.directory / "switch").launches(plan)
    assert launch.argv[2:4] == [str(plan.directory / "switch"), "proxy"]


def test_nginx_counts_two_connections_a_session(plan):
    text = Nginx.config(plan, load_module="load_module stream.so;")
    assert text.startswith("load_module stream.so;\n")
    assert "worker_connections 8208;" in text
    assert "listen 127.0.0.1:18001;" in text
    assert "server 127.0.0.1:18002;" in text
    assert text.count("{") == text.count("}")


def test_envoy_may_hold_every_session(plan):
    config = Envoy.config(plan)
    listener, cluster = config["static_resources"]["listeners"][0], config["static_resources"]["clusters"][0]
    assert listener["address"]["socket_address"] == {"address": "127.0.0.1", "port_value": 18001}
    assert cluster["circuit_breakers"]["thresholds"][0]["max_connections"] == 4096
    assert json.loads(json.dumps(config)) == config


@pytest.mark.parametrize("name", PEERS)
def test_a_reason_for_absence_is_one_line(name):
    reason = PEERS[name].missing()
    assert reason is None or re.fullmatch(r"[^\n]+", reason)

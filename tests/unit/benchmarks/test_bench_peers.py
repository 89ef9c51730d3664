"""The adapters: what they write and how they start, without starting anything."""

import json
import re

import pytest

from benchmarks.certificates import NAME, issue
from benchmarks.peers import PEERS, Mode, Plan
from benchmarks.peers.envoy import Envoy
from benchmarks.peers.haproxy import HAProxy
from benchmarks.peers.hopmesh import (
    Hopmesh,
    HopmeshBalancing,
    HopmeshRoutes,
    HopmeshWithHog,
    route_host,
    route_path,
)
from benchmarks.peers.nginx import Nginx
from mesh_core.config.load import load_file


@pytest.fixture
def plan(tmp_path):
    return Plan(Mode.TCP, 18001, 18002, tmp_path, sessions=4096)


@pytest.fixture
def tls_plan(tmp_path):
    """Give a plan by mode, all with one set of certificates."""
    credentials = issue(tmp_path)
    return lambda mode: Plan(mode, 18001, 18002, tmp_path, 18003, credentials)


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
    assert launch.files["hopmesh-proxy.yaml"] == (
        "workers: 1\n"
        'listeners: [{name: in, address: "127.0.0.1:18001", protocol: tcp, cluster: app}]\n'
        'clusters: [{name: app, endpoints: ["127.0.0.1:18002"]}]\n')


def test_the_hog_gets_its_switch_before_the_arguments_of_hopmesh(plan):
    (launch,) = HopmeshWithHog(plan.directory / "switch").launches(plan)
    assert launch.argv[2:4] == [str(plan.directory / "switch"), "proxy"]


def test_nginx_counts_two_connections_a_session(plan):
    text = Nginx.config(plan, *plan.hops(), "load_module stream.so;")
    assert text.startswith("load_module stream.so;\n")
    assert "worker_connections 8208;" in text
    assert "listen 127.0.0.1:18001;" in text
    assert "server 127.0.0.1:18002;" in text
    assert text.count("{") == text.count("}")


def test_envoy_may_hold_every_session(plan):
    config = Envoy.config(plan, *plan.hops())
    listener, cluster = config["static_resources"]["listeners"][0], config["static_resources"]["clusters"][0]
    assert listener["address"]["socket_address"] == {"address": "127.0.0.1", "port_value": 18001}
    assert cluster["circuit_breakers"]["thresholds"][0]["max_connections"] == 4096
    assert json.loads(json.dumps(config)) == config


def test_balancing_reaches_the_origin_by_ten_thousand_addresses(plan, tmp_path):
    addresses = [f"127.1.{index // 250}.{index % 250 + 1}" for index in range(10_000)]
    path = tmp_path / "balancing.yaml"
    path.write_text(HopmeshBalancing("round_robin", addresses).config(plan, *plan.hops()))
    endpoints = load_file(path).clusters[0].endpoints
    assert len(endpoints) == 10_000
    assert "127.1.39.250:18002" in map(str, endpoints)


def test_a_plain_plan_is_one_plain_hop(plan):
    (hop,) = plan.hops()
    assert (hop.listen_port, hop.upstream_port, hop.tls_in, hop.tls_out) == (18001, 18002, False, False)


def test_a_pair_is_linked_by_tls(tls_plan):
    near, far = reversed(tls_plan(Mode.PAIR).hops())
    assert (near.listen_port, near.tls_in, near.tls_out) == (18001, False, True)
    assert (far.listen_port, far.tls_in, far.tls_out) == (near.upstream_port, True, False)
    assert far.upstream_port == 18002


CONFIGS = pytest.mark.parametrize(
    "config", [Hopmesh().config, HAProxy.config, lambda plan, hop: Nginx.config(plan, hop, ""),
               lambda plan, hop: json.dumps(Envoy.config(plan, hop))],
    ids=["hopmesh", "haproxy", "nginx", "envoy"])


@CONFIGS
class TestHttp:
    def test_it_is_spoken_on_demand(self, config, tmp_path):
        relayed, proxied = (
            config(plan, *plan.hops()) for plan in (_plan(Mode.TCP, tmp_path), _plan(Mode.HTTP, tmp_path)))
        spoken = r"protocol: http\b|mode http\b|proxy_http_version 1.1;|HttpConnectionManager"
        assert re.search(spoken, proxied)
        assert not re.search(spoken, relayed)
        assert "18001" in proxied
        assert "18002" in proxied

    def test_only_the_logging_mode_logs(self, config, tmp_path):
        silent, logged = (
            config(plan, *plan.hops()) for plan in (_plan(Mode.HTTP, tmp_path), _plan(Mode.HTTP_LOG, tmp_path)))
        log = r"log stdout|access_log\b(?! off)"
        assert re.search(log, logged)
        assert not re.search(log, silent)

    def test_a_pair_has_tls_between_and_http_in_both(self, config, tls_plan):
        plan = tls_plan(Mode.HTTP_PAIR)
        texts = [config(plan, hop) for hop in plan.hops()]
        for text in texts:
            assert str(plan.directory / "ca.pem") in text
            assert re.search(r"protocol: http\b|mode http\b|https?://next|HttpConnectionManager", text)


def _plan(mode, directory):
    return Plan(mode, 18001, 18002, directory)


def test_haproxys_standard_output_is_its_access_log(tmp_path):
    (launch,) = HAProxy().launches(_plan(Mode.HTTP_LOG, tmp_path))
    assert launch.argv[:3] == ["sh", "-c", 'exec "$@" >access.log']
    assert "-q" not in launch.argv


def test_envoys_log_is_json_of_one_request_a_line(tmp_path):
    plan = _plan(Mode.HTTP_LOG, tmp_path)
    (listener,) = Envoy.config(plan, *plan.hops())["static_resources"]["listeners"]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    log = manager["access_log"][0]["typed_config"]
    assert log["path"] == str(tmp_path / "access.log")
    assert log["log_format"]["json_format"]["response_code"] == "%RESPONSE_CODE%"


def test_nginx_asks_by_the_scheme_of_the_hop(tls_plan):
    far, near = (Nginx.config(tls_plan(Mode.HTTP_PAIR), hop, "") for hop in tls_plan(Mode.HTTP_PAIR).hops())
    assert "proxy_pass http://next;" in far
    assert "proxy_pass https://next;" in near
    assert "proxy_ssl on;" not in near
    assert far.count("{") == far.count("}")


def test_each_route_is_asked_for_by_a_path_of_its_own(tmp_path):
    plan = _plan(Mode.HTTP, tmp_path)
    path = tmp_path / "routes.yaml"
    path.write_text(HopmeshRoutes(50, 10).config(plan, *plan.hops()))
    virtual_hosts = load_file(path).listeners[0].virtual_hosts
    assert [host.hosts for host in virtual_hosts] == [(route_host(index),) for index in range(50)]
    for host in virtual_hosts:
        for index, route in enumerate(host.routes):
            (match,) = route.matches
            if index % 2:
                assert match.path.exact == route_path(index)
            else:
                assert route_path(index).startswith(f"{match.path.prefix}/")
    assert {len(host.routes) for host in virtual_hosts} == {10}


@pytest.mark.parametrize("name", sorted(set(PEERS) - {"direct", "floor"}))
def test_the_far_sidecar_of_a_pair_is_started_first_and_files_differ(name, tls_plan):
    far, near = PEERS[name].launches(tls_plan(Mode.PAIR))
    assert (far.port, near.port) == (18003, 18001)
    assert not far.files.keys() & near.files.keys()


@CONFIGS
class TestTls:
    def test_it_is_the_same_at_every_end(self, config, tls_plan):
        plan = tls_plan(Mode.PAIR)
        for hop in plan.hops():
            text = config(plan, hop)
            assert str(plan.directory / "ca.pem") in text
            assert str(plan.directory / "leaf") in text
            assert re.search(r"TLSv?1[._]3|min_version: \"1.3\"", text)

    def test_whoever_connects_checks_the_name(self, config, tls_plan):
        far, near = (config(tls_plan(Mode.PAIR), hop) for hop in tls_plan(Mode.PAIR).hops())
        assert NAME in near
        assert NAME not in far

    def test_whoever_terminates_wants_a_certificate_and_one_group(self, config, tls_plan):
        plan = tls_plan(Mode.MTLS)
        text = config(plan, *plan.hops())
        assert re.search(r"verify required|ssl_verify_client on|require_client_certificate\"?: true", text)
        assert re.search(r"(curves|curve|groups)\"?:? \[?\"?X25519", text)

    def test_tickets_are_issued_only_on_demand(self, config, tls_plan):
        without, with_tickets = (
            config(tls_plan(mode), *tls_plan(mode).hops()) for mode in (Mode.MTLS, Mode.MTLS_TICKETS))
        off = r"no-tls-tickets|ssl_session_tickets off|session_tickets: false|session_resumption\": true"
        assert re.search(off, without)
        assert not re.search(off, with_tickets)


def test_haproxy_gets_a_libssl_of_its_own_only_for_tls(plan, tls_plan):
    (plain,) = HAProxy().launches(plan)
    assert not plain.env
    (full,) = HAProxy().launches(tls_plan(Mode.MTLS))
    text = full.files["openssl-proxy.cnf"]
    assert full.env == {"OPENSSL_CONF": str(plan.directory / "openssl-proxy.cnf")}
    assert "NumTickets = 0\n" in text
    (resumed,) = HAProxy().launches(tls_plan(Mode.MTLS_TICKETS))
    assert "NumTickets" not in resumed.files["openssl-proxy.cnf"]


@pytest.mark.parametrize("name", PEERS)
def test_a_reason_for_absence_is_one_line(name):
    reason = PEERS[name].missing()
    assert reason is None or re.fullmatch(r"[^\n]+", reason)

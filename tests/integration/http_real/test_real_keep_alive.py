"""Connections are used again on both sides, as the server counts them."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import urllib3

from tests.support.process_programs import program, run_program
from tests.support.real_http.clients import Request, ask, connection, get
from tests.support.real_http.content import pattern
from tests.support.real_http.servers import HERE, SERVERS
from tests.support.waiting import LIMIT_S


@pytest.mark.parametrize("server", SERVERS)
def test_one_upstream_connection_for_many_requests(server: str, through: Callable) -> None:
    mesh = through(server)
    with connection(mesh.url) as over:
        sent = [Request("GET", mesh.url + "/describe"), Request("POST", mesh.url + "/describe", {}, pattern(100_000))]
        seen = [ask(over, request).json()["connection"] for request in sent * 10]
    assert len(set(seen)) == 1
    # Clients without keep-alive share it too.
    assert [get(mesh.url + "/describe").json()["connection"] for _ in range(5)] == seen[:5]
    assert mesh.proxy.stats("cluster", "app")["upstream_cx_total"] == 1
    assert mesh.proxy.stats("listener", "in")["downstream_cx_total"] == 6


@pytest.mark.parametrize("server", SERVERS)
def test_requests_at_once_do_not_mix(server: str, through: Callable) -> None:
    mesh = through(server)
    with (
        urllib3.PoolManager(timeout=LIMIT_S, retries=False, maxsize=8, block=True) as pool,
        ThreadPoolExecutor(8) as threads,
    ):

        def numbered(number: int) -> tuple[str, int, str]:
            body = bytes([number]) * (number * 1000)
            response = pool.request("POST", f"{mesh.url}/describe?{number}", body=body)
            told = json.loads(response.data)
            assert told["size"] == len(body)
            return told["target"], response.status, told["connection"]

        answers = list(threads.map(numbered, range(200)))
    assert [(target, status) for target, status, _ in answers] == [(f"/describe?{n}", 200) for n in range(200)]
    # As many upstream connections as there were requests at one time, at most.
    assert len({connection for _, _, connection in answers}) <= 8
    assert mesh.proxy.stats("listener", "in")["downstream_cx_total"] <= 8


def test_an_agent_of_node_keeps_its_connections(through: Callable) -> None:
    mesh = through("node")
    written = run_program([program("node"), HERE / "node_agent.js", mesh.url + "/describe", "100", "4"])
    told = json.loads(written)
    assert len(told["bodies"]) == 100
    assert len(told["ports"]) == 4
    assert len({json.loads(body)["connection"] for body in told["bodies"]}) <= 4
    assert mesh.proxy.stats("listener", "in")["downstream_cx_total"] == 4


def test_a_server_that_ends_its_connections_is_asked_by_new_ones(through: Callable) -> None:
    mesh = through("node")
    headers = {"Connection": "close"}
    # That field is for the connection to the proxy: the server's stays.
    seen = {get(mesh.url + "/describe", headers).json()["connection"] for _ in range(5)}
    assert len(seen) == 1
    # This one is the server's own wish.
    assert [get(mesh.url + "/last").status for _ in range(3)] == [200] * 3
    assert mesh.proxy.stats("cluster", "app")["upstream_cx_total"] == 3

"""What the statistics say, against the traffic that was sent."""

import contextlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.process import ProxyProcess, one_listener, running, short_folder, until
from tests.support.process_traffic import admin, ask, connect, counters, echo_origin

SIZES = (1, 1000, 100_000)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A directory that all share."""
    with short_folder() as path:
        yield path


@pytest.fixture(scope="module")
def proxy(folder: Path) -> Iterator[ProxyProcess]:
    """A proxy that has relayed SIZES, a connection for each, and had one connection that its origin refused.

    Nobody changes it.
    """
    with echo_origin() as echo, running(folder, with_a_dead_cluster(folder, echo)) as proxy:
        sent(proxy)
        yield proxy


def with_a_dead_cluster(folder: Path, echo: str) -> dict[str, Any]:
    """One listener to the origin, another to nobody."""
    config = one_listener(echo)
    config["listeners"].append({"name": "dead", "address": "127.0.0.1:0", "cluster": "dead"})
    once = {"max_connect_attempts": 1}
    config["clusters"].append({"name": "dead", "endpoints": [f"unix:{folder}/nobody.sock"], "retry": once})
    return config


def sent(proxy: ProxyProcess) -> None:
    """All of it is sent, and counted."""
    for size in SIZES:
        with connect(proxy.address()) as client:
            ask(client, b"x" * size)
            client.shutdown(socket.SHUT_WR)
            assert client.recv(1) == b""
    with contextlib.suppress(ConnectionResetError), connect(proxy.address("dead")) as client:
        assert client.recv(1) == b""
    name = "cluster.dead.upstream_cx_connect_fail"
    until(lambda: counters(proxy.admin)[name] == 1, "it is counted")
    until(lambda: counters(proxy.admin)["server.total_connections"] == 0, "all connections have ended")


def test_prometheus_reads_it_and_it_agrees_with_the_traffic(proxy: ProxyProcess, folder: Path) -> None:
    families = list(text_string_to_metric_families(admin(proxy.admin, "/stats/prometheus").text))
    assert len({family.name for family in families}) == len(families)
    assert all(family.documentation and family.type in ("counter", "gauge") for family in families)
    # The parser ends every counter's name in _total, as OpenMetrics has it.
    values = {
        (sample.name, *sorted(sample.labels.items())): sample.value for family in families for sample in family.samples
    }
    listener, cluster, dead = ("listener", "in"), ("cluster", "app"), ("cluster", "dead")
    assert values["hopmesh_live",] == 1
    assert values["hopmesh_concurrency",] == 1
    assert values["hopmesh_memory_resident_bytes",] > 1_000_000
    assert values["hopmesh_listener_downstream_cx_total", listener] == len(SIZES)
    assert values["hopmesh_listener_downstream_cx_active", listener] == 0
    assert values["hopmesh_listener_downstream_cx_rx_bytes_total", listener] == sum(SIZES)
    assert values["hopmesh_listener_downstream_cx_tx_bytes_total", listener] == sum(SIZES)
    assert values["hopmesh_cluster_upstream_cx_total", cluster] == len(SIZES)
    assert values["hopmesh_cluster_upstream_cx_rx_bytes_total", cluster] == sum(SIZES)
    assert values["hopmesh_cluster_upstream_cx_tx_bytes_total", cluster] == sum(SIZES)
    assert values["hopmesh_cluster_upstream_cx_connect_fail_total", dead] == 1
    endpoint = ("endpoint", f"unix:{folder}/nobody.sock")
    assert values["hopmesh_endpoint_cx_connect_fail_total", dead, endpoint] == 1


def test_every_form_says_the_same(proxy: ProxyProcess) -> None:
    lines = counters(proxy.admin)
    listed = json.loads(admin(proxy.admin, "/stats?format=json").body)["stats"]
    stable = {each["name"]: each["value"] for each in listed if not each["name"].startswith("server.")}
    assert stable == {name: value for name, value in lines.items() if not name.startswith("server.")}
    assert list(lines) == sorted(lines)


def test_usedonly_leaves_out_what_is_zero(proxy: ProxyProcess) -> None:
    lines = admin(proxy.admin, "/stats?usedonly").text.splitlines()
    assert f"listener.in.downstream_cx_total: {len(SIZES)}" in lines
    assert not any(line.endswith(": 0") for line in lines)
    assert len(lines) < len(counters(proxy.admin))


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("listener.in.downstream_cx_total", {"listener.in.downstream_cx_total"}),
        (r"^cluster\.dead\.upstream.*fail", {"cluster.dead.upstream_cx_connect_fail"}),
        ("^listener.*total$|^nothing", {
            f"listener.{name}.downstream_{each}total"
            for name in ("in", "dead")
            for each in ("cx_", "cx_rx_bytes_", "cx_tx_bytes_", "cx_upgrades_", "rq_")
        }),
        ("^cluster[.][ad].+cx_active$", {"cluster.app.upstream_cx_active", "cluster.dead.upstream_cx_active"}),
        ("no such thing", set()),
    ],
)  # fmt: skip
def test_a_filter(proxy: ProxyProcess, pattern: str, expected: set[str]) -> None:
    found = counters(proxy.admin, pattern.replace("+", "%2B").replace(" ", "+"))
    assert found.keys() == expected


@pytest.mark.parametrize("pattern", ["(", "(a)", "[", "[z-a]", "a*", "*", "a{2}", "\\", "x" * 201, "(a+)+$"])
def test_a_filter_that_is_refused(proxy: ProxyProcess, pattern: str) -> None:
    reply = admin(proxy.admin, "/stats?filter=" + pattern.replace("+", "%2B"))
    assert reply.status == 400
    assert reply.text.startswith("filter: ")


def test_counters_survive_a_reload(tmp_path: Path, echo: str) -> None:
    with running(tmp_path, with_a_dead_cluster(tmp_path, echo)) as proxy:
        sent(proxy)
        before = counters(proxy.admin, "^listener")
        proxy.reload()
        assert counters(proxy.admin, "^listener") == before
        assert counters(proxy.admin)["server.snapshot_version"] == 2

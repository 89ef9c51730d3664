"""What proxies tell their control plane: requests by service and by edge, access logs, and what they have."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mesh_cp.observation import ConfigDumpReply, RecordsReply, TrafficReply
from tests.support.mesh import Mesh
from tests.support.process import call_cli, until

HOST = "cart.default.svc.cluster.local:8080"


@pytest.fixture
def mesh(folder: Path) -> Iterator[Mesh]:
    with Mesh(folder) as one:
        yield one


def seen(mesh: Mesh, condition: Callable[[TrafficReply], Any]) -> TrafficReply:
    """What the control plane knows of traffic, once that holds."""
    found: list[TrafficReply] = []

    def holds() -> bool:
        found.append(mesh.control_plane.client.get("/v1/stat", TrafficReply))
        return bool(condition(found[-1]))

    until(holds, "traffic is told")
    return found[-1]


def test_requests_by_service_and_by_edge(mesh: Mesh) -> None:
    mesh.sidecar("web-1", "web", mesh.app("web").address, dials=("cart",))
    mesh.sidecar("cart-1", "cart", mesh.app("cart").address)
    mesh.reaches("web-1", "cart:8080", "cart")
    for _ in range(30):
        mesh.ask("web-1", "cart:8080")

    def whole(reply: TrafficReply) -> bool:
        # Both of its ends, each of which tells in its own time.
        asked = any(each.requests > 30 and each.reporter == "destination" for each in reply.services)
        return asked and any(each.destination == "cart.default" for each in reply.edges)

    found = seen(mesh, whole)
    (cart,) = (each for each in found.services if each.destination == "cart.default")
    assert (cart.reporter, cart.success_percent) == ("destination", 100.0)
    assert cart.p50_ms is not None and cart.p99_ms is not None and 0 < cart.p50_ms <= cart.p99_ms
    edge = next(each for each in found.edges if each.destination == "cart.default")
    assert (edge.source, edge.success_percent) == ("web.default", 100.0)

    assert mesh.ask("web-1", "mail").status == 502
    found = seen(mesh, lambda reply: len(reply.edges) == 2)
    assert [(each.destination, each.success_percent) for each in found.edges] == [("cart.default", 100), ("unknown", 0)]
    server = ("--server", mesh.control_plane.address)
    rows = [line.split() for line in call_cli("stat", "cart", "--edges", *server).stdout.splitlines()]
    assert rows[0][:3] == ["SOURCE", "DESTINATION", "REQUESTS"]
    assert rows[1][:2] == ["web.default", "cart.default"]


@pytest.mark.parametrize("has_log", [True, False])
def test_access_logs(mesh: Mesh, has_log: bool) -> None:
    config = mesh.config("web-1", dials=("cart",))
    config["control_plane"]["access_records_per_second"] = 1
    if has_log:
        config["access_log"] = {"path": f"{mesh.folder}/web.log"}
    mesh.start("web-1", config)
    mesh.sidecar("cart-1", "cart", mesh.app("cart").address)
    mesh.reaches("web-1", "cart:8080", "cart")
    for number in range(20):
        assert mesh.ask("web-1", "cart:8080", f"/{number}").status == 200

    def told() -> RecordsReply:
        return mesh.control_plane.client.get("/v1/logs", RecordsReply)

    until(lambda: told().dropped, "more than those that are told")
    lines = [json.loads(each.line) for each in told().records]
    assert {each.proxy for each in told().records} == {"web-1"}
    assert lines[-1]["authority"] == "cart:8080"
    done = call_cli("logs", "--proxy", "web-1", "--limit", "1", "--server", mesh.control_plane.address)
    assert "  web-1  web-1.default  " in done.stdout
    assert call_cli("logs", "--proxy", "cart-1", "--server", mesh.control_plane.address).stdout == ""


def test_what_a_proxy_should_have(mesh: Mesh) -> None:
    mesh.sidecar("web-1", dials=("cart",))
    mesh.sidecar("cart-1", "cart", mesh.app("cart").address)
    mesh.reaches("web-1", "cart:8080", "cart")
    mesh.wait_in_sync("web-1", "cart-1")
    server = ("--server", mesh.control_plane.address)
    table = call_cli("config-dump", "web-1", *server).stdout.splitlines()
    assert table[0].startswith("web-1: in sync, version ")
    assert ["cluster", HOST] in [line.split()[:2] for line in table]
    assert {line.split()[-1] for line in table[2:]} == {"yes"}
    dump = mesh.control_plane.client.get("/v1/config-dump", ConfigDumpReply, proxy="web-1")
    (endpoints,) = (each.content for each in dump.resources if each.type == "endpoint")
    assert mesh.inbound("cart-1") in json.dumps(endpoints)

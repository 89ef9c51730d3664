"""A control plane and its proxies, as processes: what is applied takes effect, and what fails harms nobody."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.mesh import Load, Mesh
from tests.support.process import call_cli, until

ROUTE = """
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: cart}
spec:
  parentRefs: [{group: "", kind: Service, name: cart}]
  rules:
    - filters:
        - {type: RequestRedirect, requestRedirect: {hostname: elsewhere.example, statusCode: 302}}
"""
CART = """
apiVersion: v1
kind: Service
metadata: {name: cart}
spec: {ports: [{name: http, port: 80, targetPort: 8080}]}
"""


@pytest.fixture
def mesh(folder: Path) -> Iterator[Mesh]:
    with Mesh(folder) as one:
        yield one


def test_what_is_applied_takes_effect_where_it_concerns_somebody(mesh: Mesh) -> None:
    mesh.sidecar("web-1", dials=("cart",))
    mesh.sidecar("other-1", dials=("mail",))
    mesh.sidecar("cart-1", "cart", mesh.app("one").address)
    mesh.reaches("web-1", "cart:8080", "one")
    mesh.apply(CART)
    mesh.reaches("web-1", "cart", "one")

    preview = mesh.apply(ROUTE, wait=False, dry_run=True).preview
    assert [each.proxy for each in preview] == ["web-1"]
    assert preview[0].set == ("route outbound/cart.default.svc.cluster.local:80",)
    assert preview[0].removed == tuple(f"{each} cart.default.svc.cluster.local:80" for each in ("cluster", "endpoint"))
    assert mesh.ask("web-1", "cart") == (200, "one")

    path = mesh.folder / "route.yaml"
    path.write_text(ROUTE)
    server = ("--server", mesh.control_plane.address)
    done = call_cli("apply", "-f", path, "--wait", *server)
    assert done.returncode == 0, done.stderr
    assert "acknowledged by 1 of 1 proxies in" in done.stdout
    assert mesh.ask("web-1", "cart").status == 302

    listed = call_cli("proxies", *server).stdout.splitlines()
    assert listed[0].split() == ["PROXY", "CONNECTED", "IN", "SYNC", "VERSION", "REVISION"]
    names = ("cart-1", "other-1", "web-1")
    assert [line.split()[:3] for line in listed[1:]] == [[name, "yes", "yes"] for name in names]
    replied = json.loads(call_cli("proxies", "-o", "json", *server).stdout)
    assert {each["in_sync"] for each in replied["proxies"]} == {True}


def test_endpoints_come_and_go_with_their_proxies(mesh: Mesh) -> None:
    mesh.sidecar("web-1", dials=("cart",))
    mesh.sidecar("cart-1", "cart", mesh.app("one").address)
    mesh.reaches("web-1", "cart:8080", "one")
    mesh.sidecar("cart-2", "cart", mesh.app("two").address)
    mesh.reaches("web-1", "cart:8080", "two")
    with Load(mesh, "web-1", "cart:8080") as load:
        load.goes_on()
        assert mesh.stop("cart-1") == 0
        # It has drained only when nobody sends to it any more.
        load.goes_on()
    assert set(load.answers) <= {"one", "two"}, load.answers
    assert {mesh.ask("web-1", "cart:8080").text for _ in range(5)} == {"two"}
    assert list(mesh.proxies()) == ["cart-2", "web-1"]


def test_a_workload_is_asked_while_its_proxy_finds_it_well(mesh: Mesh) -> None:
    mesh.sidecar("web-1", dials=("cart",))
    mesh.sidecar("cart-1", "cart", mesh.app("one").address)
    mesh.reaches("web-1", "cart:8080", "one")
    app = mesh.app("two")
    app.well = False
    config = mesh.config("cart-2", "cart", app.address)
    check = {"type": "http", "http": {"path": "/"}, "interval_ms": 20, "unhealthy_threshold": 1}
    config["control_plane"]["workloads"][0]["health_check"] = check
    proxy = mesh.start("cart-2", config)
    proxy.wait_for("workload unhealthy")
    mesh.wait_in_sync("cart-2")
    assert {mesh.ask("web-1", "cart:8080").text for _ in range(5)} == {"one"}
    app.well = True
    mesh.reaches("web-1", "cart:8080", "two")
    app.well = False
    until(lambda: {mesh.ask("web-1", "cart:8080").text for _ in range(5)} == {"one"}, "it is asked no more")
    app.well = True
    mesh.reaches("web-1", "cart:8080", "two")
    # One that leaves stays away, however well it is.
    assert mesh.stop("cart-2") == 0
    assert {mesh.ask("web-1", "cart:8080") for _ in range(5)} == {(200, "one")}


def test_a_contradiction_is_told(mesh: Mesh) -> None:
    mesh.apply(ROUTE)
    mesh.control_plane.wait_for("contradiction")
    described = call_cli("describe", "httproute", "cart", "--server", mesh.control_plane.address).stdout
    assert "Contradictions:\n  spec.parentRefs[0]" in described


def test_a_control_plane_is_killed_and_comes_back(mesh: Mesh) -> None:
    mesh.sidecar("web-1", dials=("cart",))
    cart = mesh.app("one")
    mesh.sidecar("cart-1", "cart", cart.address)
    mesh.apply(CART)
    mesh.reaches("web-1", "cart", "one")
    mesh.wait_in_sync("web-1", "cart-1")
    proxies = dict(mesh.sidecars)
    with Load(mesh, "web-1", "cart") as load:
        load.goes_on()
        mesh.kill_control_plane()
        for proxy in proxies.values():
            proxy.wait_for("control plane lost")
        # What was logged before that has been read by now.
        updates = {name: len(proxy.events("updated")) for name, proxy in proxies.items()}
        load.goes_on()
        mesh.start_control_plane()
        mesh.wait_in_sync("web-1", "cart-1")
        load.goes_on()
    assert set(load.answers) == {"one"}
    mesh.apply(ROUTE)
    assert mesh.ask("web-1", "cart").status == 302
    # What they hold is not sent again.
    updates["web-1"] += 1
    proxies["web-1"].wait_for("updated", updates["web-1"])
    assert {name: len(proxy.events("updated")) for name, proxy in proxies.items()} == updates


def test_a_sidecar_starts_while_the_control_plane_is_away(mesh: Mesh) -> None:
    mesh.sidecar("web-1", dials=("cart",))
    cart = mesh.app("one")
    mesh.sidecar("cart-1", "cart", cart.address)
    mesh.reaches("web-1", "cart:8080", "one")
    mesh.wait_written("web-1", mesh.inbound("cart-1"))
    mesh.wait_written("cart-1", cart.address)
    mesh.kill_control_plane()
    for node in ("web-1", "cart-1"):
        mesh.stop(node, signal.SIGKILL)
    mesh.sidecar("web-1", dials=("cart",))
    mesh.sidecar("cart-1", "cart", cart.address)
    assert mesh.ask("web-1", "cart:8080") == (200, "one")
    mesh.start_control_plane()
    mesh.wait_in_sync("web-1", "cart-1")
    assert mesh.ask("web-1", "cart:8080") == (200, "one")


def test_a_proxy_that_refuses_is_named_with_every_reason(mesh: Mesh) -> None:
    mesh.sidecar("web-1", dials=("cart",))
    mesh.sidecar("cart-1", "cart", mesh.app("one").address)
    mesh.apply(CART)
    mesh.reaches("web-1", "cart", "one")
    # Its address is one of its file, so the listener that is pushed has no place.
    taken = mesh.config("bad-1", "mail", mesh.app("two").address)
    taken["listeners"] = [
        {"name": "inbound:8080", "address": "127.0.0.1:0", "cluster": "inbound:8080"},
    ]
    taken["clusters"] = [{"name": "inbound:8080", "endpoints": ["127.0.0.1:1"]}]
    mesh.start("bad-1", taken)
    until(lambda: mesh.proxies().get("bad-1") and mesh.proxies()["bad-1"].faults, "it has refused")
    shown = call_cli("proxies", "--server", mesh.control_plane.address).stdout
    assert "proxy bad-1 refused: " in shown and "listener inbound:8080" in shown and "cluster inbound:8080" in shown
    assert not mesh.proxies()["bad-1"].in_sync
    # Nobody is sent to a workload that its proxy does not take anything for.
    mesh.sidecar("late-1", dials=("mail",))
    mesh.wait_in_sync("late-1")
    assert mesh.ask("late-1", "mail:8080").status == 502
    assert mesh.ask("web-1", "cart") == (200, "one")

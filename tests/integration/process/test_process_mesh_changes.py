"""Changes of all sorts under load: not a request fails. `make bench-control-plane` measures."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.mesh import Load, Mesh

PUSHES, RESTARTS = 20, 3
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: cart}
spec: {ports: [{name: http, port: 80, targetPort: 8080}]}
"""
ROUTE = """
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: cart}
spec:
  parentRefs: [{group: "", kind: Service, name: cart}]
  rules: [{backendRefs: [{name: cart, port: 80}], timeouts: {request: %ds}}]
"""


@pytest.fixture
def mesh(folder: Path) -> Iterator[Mesh]:
    with Mesh(folder) as one:
        yield one


def test_pushes_and_rolling_restarts_fail_nothing(mesh: Mesh) -> None:
    mesh.apply(SERVICE)
    mesh.sidecar("web-1", dials=("cart",))
    apps = {f"cart-{number}": mesh.app(f"cart-{number}").address for number in range(RESTARTS)}
    for node, app in apps.items():
        mesh.sidecar(node, "cart", app)
        mesh.reaches("web-1", "cart", node)
    with Load(mesh, "web-1", "cart") as first, Load(mesh, "web-1", "cart") as second:
        for seconds in range(1, PUSHES + 1):
            reply = mesh.apply(ROUTE % seconds).propagation
            assert reply is not None and (reply.affected, reply.acknowledged) == (1, 1), reply
            first.goes_on(count=3)
        for node, app in apps.items():
            assert mesh.stop(node) == 0
            second.goes_on()
            mesh.sidecar(node, "cart", app)
            mesh.wait_in_sync(node)
            mesh.reaches("web-1", "cart", node)
    for load in (first, second):
        assert set(load.answers) == set(apps), load.answers


def test_workloads_die_and_the_rest_goes_on(mesh: Mesh) -> None:
    mesh.apply(SERVICE)
    mesh.sidecar("web-1", dials=("cart",))
    for node in ("cart-1", "cart-2"):
        mesh.sidecar(node, "cart", mesh.app(node).address)
        mesh.reaches("web-1", "cart", node)
    with Load(mesh, "web-1", "cart") as load:
        load.goes_on()
        mesh.kill_control_plane()
        load.goes_on()
        mesh.start_control_plane()
        mesh.wait_in_sync("web-1", "cart-1", "cart-2")
        load.goes_on()
    assert set(load.answers) == {"cart-1", "cart-2"}, load.answers
    # One that has not come back yet is known, and waited for.
    mesh.stop("cart-2", signal.SIGKILL)
    mesh.control_plane.wait_for("proxy gone", node="cart-2")
    assert not mesh.proxies()["cart-2"].connected
    assert {mesh.ask("web-1", "cart") for _ in range(10)} == {(200, "cart-1")}

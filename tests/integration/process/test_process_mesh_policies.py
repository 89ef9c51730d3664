"""What manifests say of requests on their way, as real sidecars do it: faults, CORS, copies, retries."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.client import HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mesh_cp.observation import TrafficReply
from tests.support.mesh import Mesh
from tests.support.process import until

ROUTES = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: cart}
spec:
  hosts: [cart]
  http:
    - match: [{uri: {exact: /fault}}]
      fault: {abort: {httpStatus: 418, percentage: {value: 100}}}
      route: [{destination: {host: cart}}]
    - match: [{uri: {exact: /cors}}]
      corsPolicy: {allowOrigins: [{prefix: "https://a."}], allowMethods: [PUT], maxAge: 1m}
      route: [{destination: {host: cart}}]
    - match: [{uri: {exact: /copied}}]
      mirror: {host: shadow}
      route: [{destination: {host: cart}}]
    - match: [{uri: {exact: /tried}}]
      retries: {attempts: 3, retryOn: 5xx, backoff: 1ms}
      route: [{destination: {host: cart}}]
    - route: [{destination: {host: cart}}]
      retries: {attempts: 0}
"""


class Flaky:
    """A workload that fails every request but each third one."""

    def __init__(self) -> None:
        count = iter(range(1, 10_000))

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(503 if next(count) % 3 else 200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def mesh(folder: Path) -> Iterator[Mesh]:
    flaky = Flaky()
    with Mesh(folder) as one:
        one.sidecar("cart-1", "cart", flaky.address)
        one.sidecar("shadow-1", "shadow", one.app("shadow").address)
        one.sidecar("web-1", dials=("cart",))
        one.wait_in_sync("cart-1", "shadow-1", "web-1")
        done = one.apply(ROUTES)
        assert not done.warnings
        one.wait_in_sync("web-1")
        yield one
    flaky.close()


def asked(mesh: Mesh, method: str, path: str, **headers: str) -> HTTPResponse:
    """What web-1 gets from the cart."""
    connection = mesh.connection("web-1")
    try:
        connection.request(method, path, headers={"host": "cart:8080", **headers})
        response = connection.getresponse()
        response.read()
        return response
    finally:
        connection.close()


def test_what_is_done_on_the_way(mesh: Mesh) -> None:
    assert asked(mesh, "GET", "/fault").status == 418

    wish = {"origin": "https://a.example", "access-control-request-method": "PUT"}
    preflight = asked(mesh, "OPTIONS", "/cors", **wish)
    assert preflight.getheader("access-control-allow-origin") == "https://a.example"
    assert preflight.getheader("access-control-max-age") == "60"

    assert [asked(mesh, "GET", "/").status for _ in range(3)].count(200) == 1
    assert [asked(mesh, "GET", "/tried").status for _ in range(4)] == [200] * 4

    def copied() -> bool:
        asked(mesh, "GET", "/copied")
        seen = mesh.control_plane.client.get("/v1/stat", TrafficReply)
        return any((each.destination, each.reporter) == ("shadow.default", "destination") for each in seen.services)

    until(copied, "a copy comes to the shadow")

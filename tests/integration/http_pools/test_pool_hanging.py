"""An endpoint whose process is stopped: the kernel goes on to accept for it, and nobody answers."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support.http_messages import get
from tests.support.http_service import HttpService, to
from tests.support.waiting import wait_until

ORIGIN = """
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""


@pytest.fixture
def stopped() -> Iterator[subprocess.Popen[str]]:
    """A process that serves HTTP; its first line of output is its port."""
    process = subprocess.Popen([sys.executable, "-c", ORIGIN], stdout=subprocess.PIPE, text=True)
    yield process
    process.send_signal(signal.SIGCONT)
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def test_it_is_left_out_and_comes_back(service: HttpService, stopped: subprocess.Popen[str]) -> None:
    """It costs a row of time-outs and one for each try; when it goes on, the next try brings it back."""
    assert stopped.stdout is not None
    address = f"127.0.0.1:{stopped.stdout.readline().strip()}"
    rules = {"consecutive_failures": 3, "min_penalty_ms": 50, "max_penalty_ms": 100}
    service.serve(
        to(
            *[service.origin() for _ in range(4)], address, load_balancer="round_robin",
            outlier_detection={"accrual": rules}, retry={"max_connect_attempts": 1},
        ),
        routes=[{"cluster": "app", "timeouts": {"per_try_ms": 1000}}],
    )

    def counted(name: str) -> int:
        return service.proxy.stats("outlier_detection", "app")[name]

    def ejected() -> bool:
        return service.proxy.gauges()["outlier_detection.ejections_active"] == 1

    with service.client() as client:
        assert [client.exchange(get(b"/")).status for _ in range(20)] == [200] * 20
        stopped.send_signal(signal.SIGSTOP)
        statuses: list[int] = []
        while counted("probes") < 2:
            assert len(statuses) < 10_000, "it is not tried"
            statuses.append(client.exchange(get(b"/")).status)
        statuses.append(client.exchange(get(b"/")).status)
        assert ejected()
        assert statuses.count(504) == 3 + counted("probes")
        assert set(statuses) == {200, 504}
        stopped.send_signal(signal.SIGCONT)
        wait_until(lambda: client.exchange(get(b"/")).status and not ejected(), "it is back")
        assert [client.exchange(get(b"/")).status for _ in range(20)] == [200] * 20
    assert counted("ejections_enforced_total") == 1

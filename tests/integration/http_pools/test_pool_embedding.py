"""A listener that speaks HTTP in a proxy inside another program, by the public API."""

from __future__ import annotations

import asyncio

import uvloop

from mesh_core import Cluster, Config, Listener, Mounting, Proxy, Route
from tests.support.http_client import HttpClient
from tests.support.http_messages import get
from tests.support.http_service import HttpService
from tests.support.peer import connect


def test_it_serves_changes_and_counts(service: HttpService, mounting: Mounting) -> None:
    origin = service.origin()

    def config(*routes: Route) -> Config:
        listener = Listener(name="in", address="127.0.0.1:0", protocol="http", routes=routes)
        return Config(
            workers=1, listeners=(listener,), clusters=(Cluster(name="app", endpoints=(origin.address,)),)
        )  # fmt: skip

    async def program() -> None:
        async with Proxy(config(Route(cluster="app")), mounting=mounting) as proxy:
            client = HttpClient(connect(proxy.listener_addresses["in"]))
            with client:
                for number in range(3):
                    response = await asyncio.to_thread(client.exchange, get(b"/%d" % number))
                    assert response.body == b"GET /%d\n" % number
                await proxy.apply(config())
                response = await asyncio.to_thread(client.exchange, get(b"/none"))
                assert response.status == 404
                stats = proxy.stats()
        assert stats["listener.in.downstream_rq_total"] == 4
        assert stats["listener.in.downstream_rq_4xx"] == stats["listener.in.no_route"] == 1
        assert stats["cluster.app.upstream_rq_2xx"] == 3
        assert stats["cluster.app.upstream_cx_total"] == 1

    uvloop.run(program())
    assert [len(each.requests) for each in origin.connections] == [3]

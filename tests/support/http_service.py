"""A proxy that speaks HTTP, between raw clients and recording origins, as many of each as a test likes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from tests.support.configs import cluster, config
from tests.support.http_client import HttpClient
from tests.support.http_messages import get
from tests.support.http_oracles import Message
from tests.support.http_origin import HttpOrigin
from tests.support.peer import connect
from tests.support.running_proxy import RunningProxy

Settings = dict[str, Any]


def http_listener(name: str = "in", address: str = "127.0.0.1:0", **more: Any) -> Settings:
    """A listener that speaks HTTP; to the cluster "app" unless `more` has another destination."""
    base: Settings = {"name": name, "address": address, "protocol": "http"}
    if not more.keys() & {"cluster", "routes", "virtual_hosts", "filter_chains"}:
        base["cluster"] = "app"
    return base | more


def to(*origins: HttpOrigin | str, name: str = "app", **more: Any) -> Settings:
    """A cluster of these origins, or addresses."""
    return cluster([each if isinstance(each, str) else each.address for each in origins], name, **more)


class HttpService:
    """Keeps what a test starts. `close` must be called; again is allowed."""

    def __init__(self, start: Callable[[Settings], RunningProxy], folder: Path, logs: bool = False) -> None:
        """`logs`: whether there is an access log where a test does not say."""
        self._start, self.folder, self._logs = start, folder, logs
        self._origins: list[HttpOrigin] = []
        self._clients: list[HttpClient] = []
        self.proxy: RunningProxy

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def log(self) -> Settings:
        """The setting with which RunningProxy.records has the access log."""
        return {"path": str(self.folder / "access.json")}

    def origin(self) -> HttpOrigin:
        """A new origin."""
        self._origins.append(HttpOrigin())
        return self._origins[-1]

    def settings(self, *clusters: Settings, listeners: list[Settings] | None = None, **more: Any) -> Settings:
        """A whole configuration. `listeners`: by default one, of which `more` has the destination (`routes`,
        `virtual_hosts`, `cluster`) and the settings (`http`)."""
        own = {key: more.pop(key) for key in ("routes", "virtual_hosts", "cluster", "http", "tls") if key in more}
        chosen = [http_listener(**own)] if listeners is None else listeners
        return config(chosen, clusters, self.folder, **{"access_log": self.log if self._logs else None, **more})

    def serve(self, *clusters: Settings, **more: Any) -> RunningProxy:
        """Start the proxy, by `settings` of these."""
        self.proxy = self._start(self.settings(*clusters, **more))
        return self.proxy

    def apply(self, *clusters: Settings, **more: Any) -> None:
        """Change its configuration to `settings` of these."""
        self.proxy.apply(self.settings(*clusters, **more))

    def client(self, listener: str = "in") -> HttpClient:
        """A new connection."""
        self._clients.append(HttpClient(connect(self.proxy.address(listener))))
        return self._clients[-1]

    def get(self, target: bytes, *fields: bytes, host: bytes = b"Host: a") -> Message:
        """Ask on a connection of its own; the response."""
        with self.client() as client:
            return client.exchange(get(target, *fields).replace(b"Host: a", host, 1))

    def cluster(self, name: str = "app") -> dict[str, int]:
        """The counters of a cluster."""
        return self.proxy.stats("cluster", name)

    def listener(self, name: str = "in") -> dict[str, int]:
        """The counters of a listener."""
        return self.proxy.stats("listener", name)

    def endpoint(self, origin: HttpOrigin, cluster: str = "app") -> dict[str, int]:
        """The counters of an endpoint."""
        return self.proxy.stats("endpoint", cluster, origin.address)

    def served(self, *origins: HttpOrigin) -> list[int]:
        """How many requests each of these has got."""
        return [len(origin.requests) for origin in origins]

    def close(self) -> None:
        """Give everything back."""
        for client in self._clients:
            client.peer.close()
        for origin in self._origins:
            origin.close()


def wait_until_closed(origin: HttpOrigin, index: int = 0) -> None:
    """Wait until the proxy has ended its connection number `index` to this origin."""
    origin.wait(lambda: origin.connections[index].ended, f"the end of connection {index}")


def cookie_of(response: Message, name: bytes) -> bytes:
    """The value of the only cookie that a response sets."""
    (field,) = response.values(b"Set-Cookie")
    first = field.split(b";")[0]
    assert first.startswith(name + b"="), field
    return first[len(name) + 1 :]

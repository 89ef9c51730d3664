"""Servers that other people wrote, started once, and proxies in front of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.certificates import Authority, Files
from tests.support.configs import cluster, config, listener
from tests.support.real_http.servers import server
from tests.support.running_proxy import RunningProxy

Settings = dict[str, Any]


class Certificates(NamedTuple):
    """For anybody at 127.0.0.1."""

    trusted_ca: str
    files: Files


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """An authority, and a certificate of it for proxy and servers alike."""
    folder = tmp_path_factory.mktemp("certificates")
    root = Authority("root")
    leaf = root.issue("here", addresses=["127.0.0.1"], dns_names=["here.mesh.local"])
    return Certificates(root.write(folder), leaf.write(folder))


@pytest.fixture(scope="session")
def started(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[Callable[..., str]]:
    """`started("node", tls=True)`: the address of a server, which is started when first asked for."""
    with ExitStack() as running:

        @cache
        def address(name: str, tls: bool = False) -> str:
            files = certificates.files if tls else None
            return running.enter_context(server(name, tmp_path_factory.mktemp(name), files))

        yield address


class Through(NamedTuple):
    """A proxy in front of a server."""

    proxy: RunningProxy
    url: str
    """Of its listener, without a path."""


@pytest.fixture
def through(
    start: Callable[[Settings], RunningProxy], started: Callable[..., str], tmp_path: Path
) -> Callable[..., Through]:
    """`through("node", tls=True)`: a proxy with an HTTP listener in front of that server, or of that address.

    `upgrades`: what its only route allows. `listener`, `cluster`: more settings of them.
    """

    def proxied(
        name: str,
        *,
        tls: bool = False,
        upgrades: tuple[str, ...] = (),
        listener: Settings | None = None,
        cluster: Settings | None = None,
    ) -> Through:
        endpoint = name if ":" in name else started(name, tls)
        route = {"name": "all", "matches": [{"path": {"prefix": "/"}}], "cluster": "app", "upgrades": list(upgrades)}
        settings = {"protocol": "http", "cluster": None, "routes": [route], **(listener or {})}
        proxy = start(
            config([_listener(**settings)], [_cluster([endpoint], **(cluster or {}))], tmp_path, access_log=None)
        )
        return Through(proxy, f"{'https' if settings.get('tls') else 'http'}://{proxy.address()}")

    return proxied


_listener, _cluster = listener, cluster

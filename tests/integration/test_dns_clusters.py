"""Clusters whose endpoints DNS tells: traffic follows it, and nothing that DNS does hurts traffic."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mesh_core.config import load_builtins
from tests.support.configs import Settings, cluster, config, listener
from tests.support.dns_server import DnsServer
from tests.support.peer import Origin
from tests.support.running_proxy import RunningProxy
from tests.support.waiting import LIMIT_S, wait_until

Start = Callable[[Settings], RunningProxy]
NAME = "app.example"


@pytest.fixture
def dns(no_leaks: None) -> Iterator[DnsServer]:
    with DnsServer() as server:
        yield server


@pytest.fixture
def origins(no_leaks: None) -> Iterator[list[Origin]]:
    """Three origins on one port of three addresses."""
    with Origin() as first:
        port = first.address.rpartition(":")[2]
        with Origin(f"127.0.0.2:{port}") as second, Origin(f"127.0.0.3:{port}") as third:
            yield [first, second, third]


def host(origin: Origin) -> str:
    return origin.address.rpartition(":")[0]


def dns_cluster(dns: DnsServer, origin: Origin, name: str = "app", host: str = NAME, **more: Any) -> Settings:
    """A cluster that looks its name up all the time."""
    return cluster(
        [f"{host}:{origin.address.rpartition(':')[2]}"],
        name,
        **{"type": "strict_dns", "dns_resolvers": [dns.address], "dns_refresh_ms": 20, "dns_failure_refresh_ms": 20}
        | more,
    )


def names(proxy: RunningProxy, cluster: str = "app") -> list[str]:
    return [each.name for each in proxy.call(lambda: proxy.proxy._changes.endpoints)[cluster]]


def serves(proxy: RunningProxy, origin: Origin, listener: str = "in") -> None:
    """A new connection goes to that origin."""
    with proxy.connect(listener) as client, origin.accept() as server:
        client.send(b"fine")
        assert server.receive(4) == b"fine"


def wait_for_endpoints(proxy: RunningProxy, *origins: Origin) -> None:
    """Wait until a snapshot with exactly these endpoints is at work."""
    wanted = sorted(each.address for each in origins)
    wait_until(lambda: sorted(names(proxy)) == wanted, f"the endpoints {wanted}, but {names(proxy)}")
    # Whatever was under way before an `apply` of the same configuration is over after it.
    version = proxy.proxy.snapshot_version
    proxy.wait(proxy.proxy.apply(proxy.proxy.config))
    assert proxy.proxy.snapshot_version > version


def test_traffic_follows_a_change(start: Start, dns: DnsServer, origins: list[Origin], tmp_path: Path) -> None:
    """New connections go to the new address; those that are open stay where they are."""
    old, new, _ = origins
    dns.set(NAME, [host(old)], ttl=0)
    proxy = start(config([listener()], [dns_cluster(dns, old)], tmp_path))
    with proxy.connect() as client, old.accept() as server:
        dns.set(NAME, [host(new)], ttl=0)
        wait_for_endpoints(proxy, new)
        for _ in range(3):
            serves(proxy, new)
        old.expect_nobody()
        client.send(b"ping")
        assert server.receive(4) == b"ping"
        server.send(b"pong")
        assert client.receive(4) == b"pong"
    assert {record["upstream_host"] for record in proxy.records(4)} == {old.address, new.address}


def test_every_address_is_an_endpoint(start: Start, dns: DnsServer, origins: list[Origin], tmp_path: Path) -> None:
    dns.set(NAME, [host(each) for each in origins])
    proxy = start(config([listener()], [dns_cluster(dns, origins[0])], tmp_path))
    clients = [proxy.connect() for _ in range(6)]
    servers = [origin.accept() for origin in origins for _ in range(2)]
    for each in (*clients, *servers):
        each.close()


def test_logical_dns_has_one_endpoint(start: Start, dns: DnsServer, origins: list[Origin], tmp_path: Path) -> None:
    first, second, third = origins
    dns.set(NAME, [host(second), host(first)], ttl=0)
    proxy = start(config([listener()], [dns_cluster(dns, first, type="logical_dns")], tmp_path))
    serves(proxy, second)
    with proxy.connect() as client, second.accept() as server:
        dns.set(NAME, [host(third), host(second)], ttl=0)
        wait_for_endpoints(proxy, third)
        serves(proxy, third)
        client.send(b"ping")
        assert server.receive(4) == b"ping"
    first.expect_nobody()


def test_the_last_good_addresses_are_kept(start: Start, dns: DnsServer, origins: list[Origin], tmp_path: Path) -> None:
    """The server fails, is gone, and comes back with other addresses."""
    old, new, _ = origins
    dns.set(NAME, [host(old)], ttl=0)
    proxy = start(config([listener()], [dns_cluster(dns, old, dns_query_timeout_ms=100)], tmp_path))
    dns.fail(NAME)
    wait_until(lambda: proxy.stats("cluster", "app")["update_failure"] >= 3, "failures")
    serves(proxy, old)
    dns.set(NAME, [host(new)], ttl=0)
    wait_for_endpoints(proxy, new)
    dns.close()
    failures = proxy.stats("cluster", "app")["update_failure"]
    wait_until(lambda: proxy.stats("cluster", "app")["update_failure"] >= failures + 2, "more failures")
    serves(proxy, new)
    counts = proxy.stats("cluster", "app")
    assert counts["update_attempt"] - 1 <= sum(
        counts[f"update_{each}"] for each in ("success", "failure", "empty")
    ) <= counts["update_attempt"]


def test_a_name_without_addresses(start: Start, dns: DnsServer, origins: list[Origin], tmp_path: Path) -> None:
    """There is nobody to connect to, until there is."""
    proxy = start(config([listener()], [dns_cluster(dns, origins[0])], tmp_path))
    proxy.turns_away()
    assert proxy.record()["response_flags"] == "UH"
    dns.set(NAME, [host(origins[0])], ttl=0)
    wait_for_endpoints(proxy, origins[0])
    serves(proxy, origins[0])
    dns.remove(NAME)
    wait_for_endpoints(proxy)
    proxy.turns_away()
    assert proxy.stats("cluster", "app")["update_empty"] >= 2


def test_a_change_disturbs_nobody_else(start: Start, dns: DnsServer, origins: list[Origin], tmp_path: Path) -> None:
    """Connections of other listeners go on, their counts too."""
    moving, other, _ = origins
    dns.set(NAME, [host(moving)], ttl=0)
    proxy = start(
        config(
            [listener(), listener("other", cluster="other")],
            [dns_cluster(dns, moving), cluster([other.address], "other")],
            tmp_path,
            workers=2,
        )
    )
    with proxy.connect("other") as client, other.accept() as server:
        for origin in (origins[2], moving, origins[2]):
            dns.set(NAME, [host(origin)], ttl=0)
            wait_for_endpoints(proxy, origin)
            serves(proxy, origin)
        client.send(b"ping")
        assert server.receive(4) == b"ping"
        assert proxy.stats("listener", "other")["downstream_cx_total"] == 1
    proxy.wait_for_stat(3, "downstream_cx_total", "listener", "in")
    proxy.wait_for_connections(0)
    wait_until(lambda: len(proxy.proxy._publisher.snapshots) == 1, "the old snapshots retired")


def test_changes_at_once_make_one_snapshot(
    start: Start, dns: DnsServer, origins: list[Origin], tmp_path: Path
) -> None:
    dns.set(NAME, [host(origins[0])])
    proxy = start(config([listener()], [dns_cluster(dns, origins[0])], tmp_path))
    before = proxy.proxy.snapshot_version
    proxy.call(lambda: [proxy.proxy._changes.on_endpoints_changed() for _ in range(100)])
    wait_until(lambda: proxy.proxy.snapshot_version > before, "a snapshot")
    proxy.wait(proxy.proxy.apply(proxy.proxy.config))
    assert proxy.proxy.snapshot_version == before + 2


def test_reload_while_a_name_is_looked_up(
    start: Start, dns: DnsServer, origins: list[Origin], tmp_path: Path
) -> None:
    """What runs goes on meanwhile, changes of its endpoints included; the new configuration serves when it can."""
    first, second, third = origins
    dns.set(NAME, [host(first)], ttl=0)
    proxy = start(config([listener()], [dns_cluster(dns, first)], tmp_path))
    with DnsServer() as slow:
        slow.silent = True
        slow.set("new.example", [host(third)])
        after = config(
            [listener(), listener("new", cluster="new")],
            [
                dns_cluster(dns, first),
                dns_cluster(slow, third, "new", "new.example", dns_query_timeout_ms=1000),
            ],
            tmp_path,
        )
        applied = proxy.start(proxy.proxy.apply(load_builtins(after)))
        slow.wait_for_queries(1, "new.example")
        dns.set(NAME, [host(second)], ttl=0)
        wait_until(lambda: names(proxy) == [second.address], "the change")
        publisher = proxy.proxy._publisher
        wait_until(lambda: len(publisher.snapshots) == 1 and publisher.version > 1, "a snapshot")
        serves(proxy, second)
        assert not applied.done()
        slow.silent = False
        applied.result(LIMIT_S)
        serves(proxy, third, "new")
        serves(proxy, second)


@pytest.mark.parametrize("how", ["close", "drain"])
def test_end_while_a_name_is_looked_up(
    start: Start, dns: DnsServer, origins: list[Origin], tmp_path: Path, how: str
) -> None:
    """Neither waits for DNS; the reload that does is refused."""
    static = config([listener()], [cluster([origins[0].address])], tmp_path)
    proxy = start(static)
    dns.silent = True
    late = config(
        [listener()],
        [dns_cluster(dns, origins[0], dns_query_timeout_ms=1000 * int(LIMIT_S) if how == "close" else 200)],
        tmp_path,
    )
    applied = proxy.start(proxy.proxy.apply(load_builtins(late)))
    dns.wait_for_queries(1, NAME)
    assert not applied.done()
    if how == "close":
        proxy.wait(proxy.proxy.close())
    else:
        proxy.wait(proxy.proxy.drain_listeners())
        dns.silent = False
    error = applied.exception(LIMIT_S)
    assert "the proxy is" in str(error), error


def test_a_reload_without_the_cluster_ends_its_look_ups(
    start: Start, dns: DnsServer, origins: list[Origin], tmp_path: Path
) -> None:
    dns.set(NAME, [host(origins[0])], ttl=0)
    proxy = start(config([listener()], [dns_cluster(dns, origins[0])], tmp_path))
    dns.wait_for_queries(3, NAME)
    proxy.apply(config([listener()], [cluster([origins[1].address])], tmp_path))
    serves(proxy, origins[1])
    # A look-up whose query was on its way may still be told, but no other begins.
    asked = dns.asked(NAME)
    proxy.apply(config([listener()], [dns_cluster(dns, origins[2], host="next.example")], tmp_path))
    dns.wait_for_queries(3, "next.example")
    assert dns.asked(NAME) == asked

"""One look-up, against a real server on loopback."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvloop

from mesh_core.config import parse_resolver
from mesh_core.control.dns.hosts_file import HostsFile
from mesh_core.control.dns.resolver import Answer, DnsResolver, LookUpFailed
from tests.support.dns_server import DnsServer
from tests.support.leaks import descriptors
from tests.support.peer import refusing
from tests.support.waiting import LIMIT_S

LIMIT_MS = int(LIMIT_S * 1000)


@pytest.fixture
def server() -> Iterator[DnsServer]:
    with DnsServer() as made:
        yield made


@pytest.fixture
def ask(server: DnsServer, tmp_path: Path):
    """Look a name up as with these servers, /etc/resolv.conf and /etc/hosts."""

    def look_up(
        name: str,
        family: int = socket.AF_INET,
        *,
        servers: tuple[str, ...] | None = None,
        resolv_conf: str = "",
        hosts: str = "",
        timeout_ms: int = LIMIT_MS,
    ) -> Answer:
        (tmp_path / "resolv.conf").write_text(resolv_conf)
        (tmp_path / "hosts").write_text(hosts)

        async def work() -> Answer:
            resolver = DnsResolver(
                [parse_resolver(each) for each in ((server.address,) if servers is None else servers)],
                timeout_ms,
                asyncio.Semaphore(1),
                hosts=HostsFile(tmp_path / "hosts"),
                resolv_conf=tmp_path / "resolv.conf",
            )
            return await resolver.look_up(name, family)

        return uvloop.run(work())

    return look_up


def test_addresses_in_the_order_of_the_answer(server: DnsServer, ask) -> None:
    server.set("app.example", ["192.0.2.3", "192.0.2.1", "192.0.2.2"], ttl=77)
    server.set("app.example", ["2001:db8::1"], ttl=99, kind="AAAA")
    assert ask("app.example") == Answer(("192.0.2.3", "192.0.2.1", "192.0.2.2"), 77)
    assert ask("app.example.", socket.AF_INET6) == Answer(("2001:db8::1",), 99)
    assert [query.kind for query in server.queries] == ["A", "AAAA"]


@pytest.mark.parametrize(("ttls", "shortest"), [((5, 60, 70), 5), ((60, 5, 70), 5), ((60, 70, 5), 5)])
def test_the_shortest_ttl_of_a_chain(server: DnsServer, ask, ttls: tuple[int, int, int], shortest: int) -> None:
    server.alias("www.example", "web.example", ttl=ttls[0])
    server.alias("web.example", "host.example", ttl=ttls[1])
    server.set("host.example", ["192.0.2.1"], ttl=ttls[2])
    assert ask("www.example") == Answer(("192.0.2.1",), shortest)


def test_a_truncated_answer_is_asked_for_by_tcp(server: DnsServer, ask) -> None:
    server.truncating = True
    server.set("app.example", ["192.0.2.1"])
    assert ask("app.example").addresses == ("192.0.2.1",)
    assert [query.transport for query in server.queries] == ["udp", "tcp"]


def test_as_many_addresses_as_an_answer_holds(server: DnsServer, ask) -> None:
    server.truncating = True
    addresses = [f"10.0.{index // 256}.{index % 256}" for index in range(4090)]
    server.set("app.example", addresses)
    assert ask("app.example").addresses == tuple(addresses)


def test_a_name_that_is_not_there_is_an_answer(server: DnsServer, ask) -> None:
    server.set("six.example", ["2001:db8::1"], kind="AAAA")
    assert ask("none.example").addresses == ()
    assert ask("six.example").addresses == ()


@pytest.mark.parametrize("rcode", ["SERVFAIL", "REFUSED", "NOTIMP"])
def test_a_server_that_refuses_is_a_failure(server: DnsServer, ask, rcode: str) -> None:
    server.fail("app.example", rcode=rcode)
    with pytest.raises(LookUpFailed, match=rcode):
        ask("app.example")


def test_a_server_that_is_silent_is_asked_again_and_then_a_failure(server: DnsServer, ask) -> None:
    server.silent = True
    with pytest.raises(LookUpFailed, match=r"no answer within 0\.4 s"):
        ask("app.example", timeout_ms=400)
    server.wait_for_queries(2, "app.example")


def test_a_server_that_is_not_there_is_a_failure(ask) -> None:
    with refusing() as address, pytest.raises(LookUpFailed):
        ask("app.example", servers=(address,), timeout_ms=200)


def test_the_next_server_is_asked(server: DnsServer, ask) -> None:
    server.set("app.example", ["192.0.2.1"])
    with DnsServer() as broken:
        broken.fail("app.example")
        assert ask("app.example", servers=(broken.address, server.address)).addresses == ("192.0.2.1",)
        assert broken.asked("app.example") == 1


def test_search_domains(server: DnsServer, ask) -> None:
    """A name with fewer dots than ndots is completed first; one that ends in a dot never."""
    server.set("app.two.example", ["192.0.2.2"])
    server.set("a.b", ["192.0.2.3"])
    resolv_conf = "search one.example two.example\noptions ndots:1\n" + "nameserver 192.0.2.250\n"
    assert ask("app", resolv_conf=resolv_conf).addresses == ("192.0.2.2",)
    assert ask("a.b", resolv_conf=resolv_conf).addresses == ("192.0.2.3",)
    assert ask("app.", resolv_conf=resolv_conf).addresses == ()
    names = [query.name for query in server.queries]
    assert names == ["app.one.example", "app.two.example", "a.b", "app"]


def test_the_hosts_file_comes_first(server: DnsServer, ask) -> None:
    server.set("app.example", ["192.0.2.1"])
    assert ask("app.example", hosts="192.0.2.9 app.example\n") == Answer(("192.0.2.9",), None)
    assert server.queries == []


def test_addresses_that_are_no_host_are_left_out(server: DnsServer, ask) -> None:
    server.set("app.example", ["0.0.0.0", "192.0.2.1", "224.0.0.1"])
    server.set("app.example", ["::", "2001:db8::1", "ff02::1"], kind="AAAA")
    assert ask("app.example").addresses == ("192.0.2.1",)
    assert ask("app.example", socket.AF_INET6).addresses == ("2001:db8::1",)


def test_a_look_up_waits_for_its_place(server: DnsServer, tmp_path: Path) -> None:
    server.set("app.example", ["192.0.2.1"])

    async def work() -> None:
        places = asyncio.Semaphore(1)
        resolver = DnsResolver(
            [parse_resolver(server.address)], LIMIT_MS, places, hosts=HostsFile(tmp_path / "none")
        )
        async with places:
            task = asyncio.ensure_future(resolver.look_up("app.example", socket.AF_INET))
            await asyncio.sleep(0.05)
            assert server.queries == []
        assert (await task).addresses == ("192.0.2.1",)

    uvloop.run(work())


# Raised while uvloop closes what was left open, it would have the loop wait for that for ever.
@pytest.mark.filterwarnings("ignore:unclosed resource:ResourceWarning")
def test_cancelled_at_any_moment_it_leaves_nothing_open(server: DnsServer, tmp_path: Path) -> None:
    server.silent = True
    turns = 40

    async def work() -> None:
        resolver = DnsResolver(
            [parse_resolver(server.address)], LIMIT_MS, asyncio.Semaphore(1), hosts=HostsFile(tmp_path / "none")
        )
        # Whatever is opened once is opened now.
        for moment in (turns, *range(turns)):
            task = asyncio.ensure_future(resolver.look_up("app.example", socket.AF_INET))
            for _ in range(moment):
                await asyncio.sleep(0)
            task.cancel()
            assert isinstance((await asyncio.gather(task, return_exceptions=True))[0], asyncio.CancelledError)
            for _ in range(3):
                await asyncio.sleep(0)
            if moment == turns:
                before = descriptors()
        # The loop closes the last socket a few turns later. By item: a number may be that of another socket by then.
        async with asyncio.timeout(LIMIT_MS / 1000):
            while not descriptors().items() <= before.items():
                await asyncio.sleep(0.001)

    uvloop.run(work())
    server.wait_for_queries(1, "app.example")


@pytest.mark.parametrize("text", ["", "nonsense\n", "nameserver not-an-address\n", "nameserver\n"])
def test_without_a_usable_resolv_conf_the_host_itself_is_asked(ask, text: str) -> None:
    """Nobody answers there in a test; what matters is a definite failure."""
    with pytest.raises(LookUpFailed):
        ask("app.example", servers=(), resolv_conf=text, timeout_ms=100)

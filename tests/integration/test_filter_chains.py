"""Filter chains: TLS passed through by what its ClientHello says, and everything that may be wrong with one."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.addresses import free_address
from tests.support.certificates import Authority
from tests.support.client_hellos import alpn, extension, message, record, records, server_name
from tests.support.configs import cluster, config
from tests.support.peer import Origin, Peer
from tests.support.proxy_headers import v1
from tests.support.running_proxy import RunningProxy

Start = Callable[[dict[str, Any]], RunningProxy]
SHOP = {"match": {"server_names": ["shop.example", "*.shop.example"]}, "cluster": "other"}
RAW = {"match": {"transport_protocol": "raw_buffer"}, "cluster": "other"}
H2 = {"match": {"application_protocols": ["h2"]}, "cluster": "other"}


@pytest.fixture
def other(no_leaks: None) -> Iterator[Origin]:
    """A second origin, the one that chains lead to."""
    with Origin() as made:
        yield made


@pytest.fixture
def chains(start: Start, origin: Origin, other: Origin, tmp_path: Path) -> Callable[..., RunningProxy]:
    """Start a proxy with these filter chains: "app" is `origin`, "other" is `other`."""

    def start_with(*filter_chains: dict[str, Any], **more: Any) -> RunningProxy:
        listener = {"name": "in", "address": free_address("ipv4", tmp_path), "filter_chains": list(filter_chains)}
        clusters = [cluster([origin.address]), cluster([other.address], "other")]
        return start(config([listener | {"cluster": "app"} | more], clusters, tmp_path))

    return start_with


def hello_for(name: str, *protocols: bytes) -> bytes:
    return message(server_name(name.encode()), *([alpn(*protocols)] if protocols else []))


def expect(proxy: RunningProxy, origin: Origin, data: bytes, pieces: list[bytes] | None = None) -> None:
    """What the client sends comes out at that origin, unchanged, and answers come back."""
    with proxy.connect() as client:
        for piece in pieces or [data]:
            client.send(piece)
        with origin.accept() as server:
            assert server.receive(len(data)) == data
            server.send(b"answer")
            assert client.receive(6) == b"answer"
            client.end()
            server.expect_end()


def test_the_server_name_chooses(chains: Callable[..., RunningProxy], origin: Origin, other: Origin) -> None:
    proxy = chains(SHOP)
    for name, to in (("shop.example", other), ("A.Shop.example", other), ("example", origin), ("10.0.0.1", origin)):
        expect(proxy, to, record(hello_for(name)) + b"\x17\x03\x03\0\x01x")
    assert [one["upstream_cluster"] for one in proxy.records(4)] == ["other", "other", "app", "app"]


def test_a_real_handshake_passes_through(
    chains: Callable[..., RunningProxy], other: Origin, tmp_path: Path
) -> None:
    """The first flight of a real TLS library, as it sends it."""
    outgoing = ssl.MemoryBIO()
    context = ssl.create_default_context()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="www.shop.example").do_handshake()
    expect(chains(SHOP), other, outgoing.read())


def test_application_and_transport_protocols(
    chains: Callable[..., RunningProxy], origin: Origin, other: Origin
) -> None:
    proxy = chains(H2, RAW)
    expect(proxy, other, record(hello_for("a.example", b"h2", b"http/1.1")))
    expect(proxy, origin, record(hello_for("a.example", b"http/1.1")))
    for plain in (b"G", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x02", b"\x80\x2e\x01\x03\x01"):
        expect(proxy, other, plain)


def test_a_hello_in_many_records_and_segments(chains: Callable[..., RunningProxy], other: Origin) -> None:
    proxy = chains(SHOP)
    large = message(server_name(b"shop.example"), extension(51, bytes(1800)))
    for sizes in ([1, 16384], [4, 1, 500], [100]):
        data = records(large, *sizes)
        expect(proxy, other, data, [data[at : at + 7] for at in range(0, len(data), 7)])


def test_cut_at_every_byte(chains: Callable[..., RunningProxy], other: Origin) -> None:
    """Two segments, whatever the first one ends with; the second also carries data."""
    data = records(hello_for("shop.example"), 3, 60)
    proxy = chains(SHOP)
    for cut in range(1, len(data)):
        with proxy.connect() as client:
            client.send(data[:cut])
            with proxy.held():
                client.send(data[cut:] + b"data")
            with other.accept() as server:
                assert server.receive(len(data) + 4) == data + b"data"
    assert {one["upstream_cluster"] for one in proxy.records(len(data) - 1)} == {"other"}


REFUSED = {
    "client_hello_malformed": record(message(server_name(b"a\0b"))),
    "client_hello_oversized": record(b"\x01\xff\xff\xff"),
    "client_hello_cut": record(hello_for("shop.example"))[:-1],
}


@pytest.mark.parametrize("detail", REFUSED)
def test_refused_hellos(
    chains: Callable[..., RunningProxy], origin: Origin, other: Origin, detail: str
) -> None:
    proxy = chains(SHOP)
    with proxy.connect() as client:
        client.send(REFUSED[detail])
        if detail == "client_hello_cut":
            client.end()
        assert client.receive_what_comes() == b""
    one = proxy.record()
    assert (one["response_flags"], one["connection_termination_details"]) == ("DPE", detail)
    assert one["upstream_cluster"] == "app"
    assert proxy.stats("listener", "in")["tls_inspector.client_hello_error"] == 1
    origin.expect_nobody()
    other.expect_nobody()


def test_a_client_that_says_nothing_and_ends(chains: Callable[..., RunningProxy]) -> None:
    proxy = chains(SHOP)
    with proxy.connect() as client:
        client.end()
        assert client.receive_what_comes() == b""
    assert proxy.record()["connection_termination_details"] == "client_hello_cut"


def test_a_client_that_resets(chains: Callable[..., RunningProxy]) -> None:
    proxy = chains(SHOP)
    client = proxy.connect()
    client.send(record(hello_for("shop.example"))[:20])
    client.reset()
    one = proxy.record()
    assert (one["response_flags"], one["connection_termination_details"]) == ("DC", "downstream_reset")


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01", record(hello_for("shop.example"))[:-1]])
def test_a_hello_that_is_late(chains: Callable[..., RunningProxy], other: Origin, sent: bytes) -> None:
    proxy = chains(SHOP, inspection_timeout_ms=1)
    with proxy.connect() as client:
        client.send(sent)
        assert client.receive_what_comes() == b""
    one = proxy.record()
    assert (one["response_flags"], one["connection_termination_details"]) == ("DPE", "client_hello_timeout")
    assert proxy.stats("listener", "in")["tls_inspector.client_hello_timeout"] == 1
    other.expect_nobody()


def test_no_chain_fits(chains: Callable[..., RunningProxy], origin: Origin, other: Origin) -> None:
    proxy = chains(SHOP, cluster=None)
    expect(proxy, other, record(hello_for("shop.example")))
    with proxy.connect() as client:
        client.send(record(hello_for("else.example")))
        assert client.receive_what_comes() == b""
    _, one = proxy.records(2)
    assert (one["response_flags"], one["connection_termination_details"]) == ("NR", "no_filter_chain")
    assert one["upstream_cluster"] is None
    assert proxy.stats("listener", "in")["no_filter_chain_match"] == 1
    origin.expect_nobody()


def test_what_the_proxy_header_says(chains: Callable[..., RunningProxy], origin: Origin, other: Origin) -> None:
    """Its addresses count, and a hello in the same segment is found."""
    match = {"source_addresses": ["192.0.2.0/24"], "destination_ports": [443], "server_names": ["shop.example"]}
    proxy = chains({"match": match, "cluster": "other"}, accept_proxy_protocol=True)
    data = record(hello_for("shop.example"))
    for source, port, to in (("192.0.2.7", 443, other), ("192.0.2.7", 80, origin)):
        with proxy.connect() as client:
            client.send(v1((source, 4711), ("198.51.100.9", port)) + data)
            with to.accept() as server:
                assert server.receive(len(data)) == data


def test_addresses_alone_need_no_look(chains: Callable[..., RunningProxy], other: Origin) -> None:
    """The server may speak first."""
    proxy = chains({"match": {"source_addresses": ["127.0.0.0/8"]}, "cluster": "other"})
    with proxy.connect() as client, other.accept() as server:
        server.send(b"welcome")
        assert client.receive(7) == b"welcome"


def test_the_destination_at_a_wildcard_address(
    start: Start, origin: Origin, other: Origin, tmp_path: Path
) -> None:
    match = {"destination_addresses": ["127.0.0.2"]}
    listener = {
        "name": "in", "address": "0.0.0.0:0", "cluster": "app", "filter_chains": [{"match": match, "cluster": "other"}],
    }  # fmt: skip
    proxy = start(config([listener], [cluster([origin.address]), cluster([other.address], "other")], tmp_path))
    port = int(proxy.address().rpartition(":")[2])
    for host, to in (("127.0.0.2", other), ("127.0.0.1", origin)):
        with Peer(socket.create_connection((host, port))) as client, to.accept() as server:
            client.send(b"data")
            assert server.receive(4) == b"data"


@pytest.mark.parametrize("behind_proxy_header", [False, True])
def test_a_chain_terminates_tls(
    chains: Callable[..., RunningProxy], origin: Origin, other: Origin, tmp_path: Path, behind_proxy_header: bool
) -> None:
    """One name is terminated with the chain's own certificate; others pass through, encrypted, as before."""
    root = Authority("root")
    files = root.issue("admin", dns_names=["admin.example"]).write(tmp_path)
    tls = {"certificate": files.certificate, "key": files.key}
    chain = {"match": {"server_names": ["admin.example"]}, "cluster": "other", "tls": tls}
    proxy = chains(chain, accept_proxy_protocol=behind_proxy_header)
    context = ssl.create_default_context(cafile=root.write(tmp_path))
    with proxy.connect() as client:
        if behind_proxy_header:
            client.send(v1(("192.0.2.7", 1), ("198.51.100.9", 443)))
        with context.wrap_socket(client.socket, server_hostname="admin.example") as secure, other.accept() as server:
            secure.sendall(b"data")
            assert server.receive(4) == b"data"
            server.send(b"answer")
            assert secure.recv(6) == b"answer"
    if not behind_proxy_header:
        expect(proxy, origin, record(hello_for("else.example")))
    assert proxy.stats("listener", "in")["ssl.handshake"] == 1


def test_a_reload_changes_the_chains(
    start: Start, origin: Origin, other: Origin, tmp_path: Path
) -> None:
    clusters = [cluster([origin.address]), cluster([other.address], "other")]
    listener = {"name": "in", "address": free_address("ipv4", tmp_path), "cluster": "app"}
    proxy = start(config([listener], clusters, tmp_path))
    data = record(hello_for("shop.example"))
    expect(proxy, origin, data)
    proxy.apply(config([listener | {"filter_chains": [SHOP]}], clusters, tmp_path))
    expect(proxy, other, data)

"""PROXY protocol headers to the upstream, byte for byte."""

from collections.abc import Callable

import pytest

from tests.support.peer import Origin
from tests.support.proxy_headers import place, v1, v2, v2_raw
from tests.support.running_proxy import RunningProxy

Serve = Callable[..., RunningProxy]
WRITERS = {"v1": v1, "v2": v2}
NOBODY = {"v1": b"PROXY UNKNOWN\r\n", "v2": v2_raw(0x20, 0x00)}


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
def test_header_comes_first(serve: Serve, origin: Origin, family: str, version: str) -> None:
    """The header names the client and the address that it connected to; then come the client's bytes."""
    proxy = serve(origin.address, kind=family, cluster={"send_proxy_protocol": version})
    with proxy.connect() as client:
        expected = WRITERS[version](place(client.address), place(proxy.address()))
        client.send(b"data")
        client.end()
        with origin.accept() as server:
            assert server.receive_all() == expected + b"data"
            server.send(b"answer")
            server.close()
        assert client.receive_all() == b"answer"
    assert proxy.record()["bytes_received"] == 4


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_header_without_data(serve: Serve, origin: Origin, version: str) -> None:
    """A server that speaks first is told who connects, before the client has said anything."""
    proxy = serve(origin.address, cluster={"send_proxy_protocol": version})
    with proxy.connect() as client, origin.accept() as server:
        expected = WRITERS[version](place(client.address), place(proxy.address()))
        assert server.receive(len(expected)) == expected
        server.send(b"220 hello")
        assert client.receive(9) == b"220 hello"


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_unix_client_has_no_address(serve: Serve, origin: Origin, version: str) -> None:
    """A Unix socket's peer is nobody that a header can name."""
    proxy = serve(origin.address, kind="unix", cluster={"send_proxy_protocol": version})
    with proxy.connect() as client, origin.accept() as server:
        client.send(b"data")
        client.end()
        assert server.receive_all() == NOBODY[version] + b"data"


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("family", ["four", "six"])
def test_chained(serve: Serve, origin: Origin, family: str, version: str) -> None:
    """What one header said is said by the next one, in either version; the data between them stays."""
    source, destination = (
        (("192.0.2.7", 1), ("198.51.100.9", 65535))
        if family == "four"
        else (("2001:db8::7", 1), ("2001:db8::9", 65535))
    )
    proxy = serve(origin.address, listener={"accept_proxy_protocol": True}, cluster={"send_proxy_protocol": version})
    for write in (v1, v2):
        with proxy.connect() as client:
            client.send(write(source, destination) + b"data" * 500)
            client.end()
            with origin.accept() as server:
                assert server.receive_all() == WRITERS[version](source, destination) + b"data" * 500


def test_to_a_unix_upstream(serve: Serve, tmp_path) -> None:
    """An endpoint that is connected at once gets the header first as well."""
    with Origin(f"unix:{tmp_path / 'origin'}") as origin:
        proxy = serve(origin.address, cluster={"send_proxy_protocol": "v2"})
        with proxy.connect() as client:
            expected = v2(place(client.address), place(proxy.address()))
            client.send(b"data")
            client.end()
            with origin.accept() as server:
                assert server.receive_all() == expected + b"data"


def test_wildcard_listener_names_the_real_address(serve: Serve, origin: Origin) -> None:
    """A listener on every address tells, and records, which one was connected to."""
    proxy = serve(origin.address, listener={"address": "0.0.0.0:0"}, cluster={"send_proxy_protocol": "v1"})
    port = place(proxy.address())[1]
    with proxy.connect() as client, origin.accept() as server:
        expected = v1(place(client.address), ("127.0.0.1", port))
        assert server.receive(len(expected)) == expected
    assert proxy.record()["downstream_local_address"] == f"127.0.0.1:{port}"

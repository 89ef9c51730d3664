"""Access records: a JSON line for each connection, with Envoy's names."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.configs import cluster, config, listener
from tests.support.peer import Origin, turned_away
from tests.support.running_proxy import RunningProxy
from tests.support.waiting import wait_until

Serve = Callable[..., RunningProxy]


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
def test_every_field(serve: Serve, origin: Origin, family: str) -> None:
    """All that a record says of an ordinary connection."""
    proxy = serve(origin.address, kind=family)
    with proxy.connect() as client, origin.accept() as server:
        client_address = client.address
        upstream_local = "{}:{}".format(*server.socket.getpeername())
        client.send(b"12345")
        assert server.receive(5) == b"12345"
        server.send(b"123")
        assert client.receive(3) == b"123"
    record = proxy.record()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record.pop("start_time"))
    assert isinstance(record.pop("connection_id"), int)
    assert record.pop("duration") >= 0
    assert record.pop("upstream_connect_time") >= 0
    assert record.pop("upstream_request_attempt_count") == 1
    assert record == {
        "bytes_received": 5,
        "bytes_sent": 3,
        "response_flags": "-",
        "connection_termination_details": None,
        "listener": "in",
        "downstream_remote_address": client_address,
        "downstream_local_address": proxy.address(),
        "upstream_cluster": "app",
        "upstream_host": origin.address,
        "upstream_local_address": upstream_local,
        "upstream_transport_failure_reason": None,
    }


def test_unix_addresses(serve: Serve, tmp_path: Path) -> None:
    """A Unix socket's peer has no name; the endpoint is written as configured."""
    with Origin(f"unix:{tmp_path / 'origin'}") as origin:
        proxy = serve(origin.address, kind="unix")
        with proxy.connect(), origin.accept():
            pass
        record = proxy.record()
    assert record["downstream_remote_address"] == record["upstream_local_address"] == "unix:"
    assert record["upstream_host"] == origin.address


def test_connection_ids_differ(serve: Serve, origin: Origin) -> None:
    """Also between workers."""
    proxy = serve(origin.address, workers=2)
    for _ in range(40):
        with proxy.connect(), origin.accept():
            pass
    records = proxy.records(40)
    assert len({record["connection_id"] for record in records}) == 40


def test_more_records_than_one_collection_takes(serve: Serve, origin: Origin) -> None:
    """Nothing is lost of a burst that the ring holds."""
    proxy = serve(origin.address, listener={"max_connections": 1})
    with proxy.connect(), origin.accept():
        for _ in range(1500):
            proxy.turns_away()
        assert len(proxy.records(1500)) == 1500
    assert proxy.proxy.access_records_dropped == 0


def test_a_full_ring_drops_and_counts(serve: Serve, origin: Origin, mounting: str) -> None:
    """A control thread that is away for long costs records, never connections."""
    if mounting != "threaded":
        pytest.skip("inline, a control thread that is away is a worker that is away")
    proxy = serve(origin.address, listener={"max_connections": 1})
    total = 9000  # the ring holds 1 MiB, and a record has more than 150 bytes
    address = proxy.address()
    with proxy.connect(), origin.accept():
        inner = proxy.proxy
        with proxy.held():
            for _ in range(total):
                turned_away(address)
        wait_until(lambda: inner.access_records_dropped > 0, "records dropped")
        dropped = inner.access_records_dropped
        assert len(proxy.records(total - dropped)) == total - dropped
    proxy.records(total - dropped + 1)


def test_rotation(serve: Serve, origin: Origin) -> None:
    """After `reopen`, records go to a new file."""
    proxy = serve(origin.address)
    with proxy.connect(), origin.accept():
        pass
    proxy.records(1)
    path = proxy.access_log
    assert path is not None
    path.rename(path.with_suffix(".old"))
    proxy.call(proxy.proxy.reopen_access_log)
    wait_until(path.exists, "the new file")
    with proxy.connect(), origin.accept():
        pass
    assert len(proxy.records(1)) == 1
    assert len(path.with_suffix(".old").read_text().splitlines()) == 1


def test_changed_and_switched_off(start: Callable[..., RunningProxy], origin: Origin, tmp_path: Path) -> None:
    """A new configuration moves the log, or ends it."""
    parts = [listener()], [cluster([origin.address])]
    proxy = start(config(*parts, tmp_path))
    with proxy.connect(), origin.accept():
        proxy.apply(config(*parts, tmp_path, access_log={"path": str(tmp_path / "second.json")}))
    first, proxy.access_log = proxy.access_log, tmp_path / "second.json"
    proxy.records(1)
    assert first is not None
    assert first.read_text() == ""
    proxy.apply(config(*parts, tmp_path, access_log=None))
    with proxy.connect(), origin.accept():
        pass
    proxy.wait_for_connections(0)
    assert len(proxy.records(1)) == 1

"""The HTTP API: what it answers, to those who ask well and to those who do not."""

from __future__ import annotations

import getpass
import json
import socket
from pathlib import Path
from typing import Any

import pytest

from mesh_core.config import parse_address
from mesh_cp.api.kind_names import KindError, kind_named
from mesh_cp.api.messages import (
    ApplyRequest,
    ChangeDetailReply,
    ChangeReply,
    DeleteRequest,
    DescribeReply,
    File,
    HistoryReply,
    ItemsReply,
    ProxiesReply,
    RollbackRequest,
    VersionReply,
)
from mesh_cp.cli.client import ClientError
from mesh_cp.propagation import Acknowledgement, ProxyPreview, ProxyStatus
from mesh_cp.resources import KIND_NAMES, Key
from tests.support.manifests import service
from tests.support.running_api import RunningApi
from tests.support.waiting import LIMIT_S, wait_until

WEB = Key("Service", "default", "web")
DEPLOYMENT = "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n"


def apply(api: RunningApi, *texts: str, **more: Any) -> ChangeReply:
    files = tuple(File(f"file{number}.yaml", text) for number, text in enumerate(texts))
    return api.client.post("/v1/apply", ApplyRequest(files=files, **more), ChangeReply)


def items(api: RunningApi, **query: str) -> list[str]:
    return [str(item.key) for item in api.client.get("/v1/resources", ItemsReply, **query).items]


def test_applying_and_reading(api: RunningApi) -> None:
    reply = apply(api, service() + DEPLOYMENT, service("db", 5432, "data"))
    assert [(str(edit.key), edit.action, edit.after) for edit in reply.edits] == [
        ("Service default/web", "created", None),
        ("Service data/db", "created", None),
    ]
    assert [(str(each), each.line) for each in reply.skipped] == [("Deployment web", 9)]
    assert reply.change is not None and reply.change.author == getpass.getuser()
    assert (reply.revision, reply.propagation) == (2, None)
    assert items(api) == ["Service data/db", "Service default/web"]
    assert items(api, kind="svc", namespace="data") == items(api, name="db") == ["Service data/db"]
    assert items(api, kind="tcproutes") == []
    described = api.client.get("/v1/describe", DescribeReply, kind="services", name="web")
    assert described.item.document["metadata"] == {"name": "web", "resourceVersion": "r2"}
    assert (described.item.source, described.item.line) == ("file0.yaml", 1)
    assert [change.number for change in described.changes] == [1]
    version = api.client.get("/v1/version", VersionReply)
    assert version.revision == 2


def test_all_faults_of_all_files_and_nothing_changed(api: RunningApi) -> None:
    bad = service("bad").replace("port: 80", "port: 99999").replace("name: http", "nmae: http")
    with pytest.raises(ClientError, match="nothing was changed: 4 faults in the manifests") as caught:
        apply(api, service(), bad, "a: [", service())
    reply = caught.value.reply
    assert reply is not None and reply.error == "invalid"
    assert [(fault.source, fault.line, fault.path) for fault in reply.faults] == [
        ("file1.yaml", 7, "spec.ports[0].nmae"),
        ("file1.yaml", 7, "spec.ports[0].port"),
        ("file2.yaml", 2, ""),
        ("file3.yaml", 1, "metadata.name"),
    ]
    assert "it stands in file0.yaml:1 already" in reply.faults[-1].message
    assert items(api) == []


def test_a_dry_run_shows_documents_and_what_proxies_would_get(api: RunningApi) -> None:
    apply(api, service())
    api.proxies.previews = (ProxyPreview(proxy="web-1", set=("cluster web",), removed=()),)
    reply = apply(api, service(port=81), dry_run=True, wait_ms=1000)
    (edit,) = reply.edits
    assert edit.before is not None and edit.after is not None
    assert (edit.before["spec"]["ports"][0]["port"], edit.after["spec"]["ports"][0]["port"]) == (80, 81)
    assert reply.preview == api.proxies.previews
    assert (reply.change, reply.propagation) == (None, None)
    assert len(api.client.get("/v1/history", HistoryReply).changes) == 1


def test_waiting_for_the_proxies(api: RunningApi) -> None:
    api.proxies.answer = Acknowledgement(affected=3, acknowledged=2, waiting=("web-3",), elapsed_ms=12.5)
    reply = apply(api, service(), wait_ms=1500)
    assert reply.propagation == api.proxies.answer
    assert api.proxies.asked == [(2, 1.5)]
    # Where nothing was changed nobody is waited for.
    assert apply(api, service(), wait_ms=1500).propagation is None
    assert len(api.proxies.asked) == 1


def test_deleting(api: RunningApi) -> None:
    apply(api, service(), service("db"), service("cache"))
    with pytest.raises(ClientError, match="not there: Service default/none") as caught:
        api.client.post("/v1/delete", DeleteRequest(keys=(Key("svc", "", "none"), WEB)), ChangeReply)
    assert caught.value.reply is not None and caught.value.reply.error == "not_found"
    request = DeleteRequest(keys=(Key("svc", "", "db"),), files=(File("a", service()),))
    reply = api.client.post("/v1/delete", request, ChangeReply)
    assert [(edit.key.name, edit.action) for edit in reply.edits] == [("db", "deleted"), ("web", "deleted")]
    assert items(api) == ["Service default/cache"]


def test_history_and_the_way_back(api: RunningApi) -> None:
    with pytest.raises(ClientError, match="nothing was changed yet"):
        api.client.post("/v1/rollback", RollbackRequest(), ChangeReply)
    apply(api, service())
    apply(api, service(port=81), service("db"))
    reply = api.client.post("/v1/rollback", RollbackRequest(), ChangeReply)
    assert reply.change is not None and reply.change.to == 1
    assert items(api) == ["Service default/web"]
    api.client.post("/v1/rollback", RollbackRequest(to=0), ChangeReply)
    assert items(api) == []
    changes = api.client.get("/v1/history", HistoryReply).changes
    assert [(change.number, change.action, change.to) for change in changes] == [
        (4, "rollback", 0), (3, "rollback", 1), (2, "apply", None), (1, "apply", None),
    ]  # fmt: skip
    of_db = api.client.get("/v1/history", HistoryReply, kind="svc", name="db").changes
    assert [change.number for change in of_db] == [3, 2]
    detail = api.client.get("/v1/change", ChangeDetailReply, number=2)
    assert [(edit.key.name, edit.action) for edit in detail.edits] == [("db", "created"), ("web", "configured")]
    assert detail.edits[1].before is not None
    with pytest.raises(ClientError, match="there is no change 77"):
        api.client.post("/v1/rollback", RollbackRequest(to=77), ChangeReply)
    with pytest.raises(ClientError, match="history has no change 77"):
        api.client.get("/v1/change", ChangeDetailReply, number=77)


def test_a_conflict(api: RunningApi) -> None:
    apply(api, service())
    apply(api, service(port=81))
    with pytest.raises(ClientError, match="changed by others meanwhile: Service default/web") as caught:
        apply(api, service(port=82, version="r2"))
    assert caught.value.reply is not None and caught.value.reply.error == "conflict"
    apply(api, service(port=82, version="r3"))


def test_watching(api: RunningApi) -> None:
    apply(api, service())
    events = api.client.watch("/v1/watch", kind="Service", **{"from": 2})
    key, event = next(events)
    assert (key, event.revision) == (WEB, 2)
    apply(api, service(port=81))
    key, event = next(events)
    assert event.document is not None
    assert (event.document["spec"]["ports"][0]["port"], event.document["metadata"]["resourceVersion"]) == (81, "r3")
    api.client.post("/v1/delete", DeleteRequest(keys=(WEB,)), ChangeReply)
    key, event = next(events)
    assert (key, event.revision, event.document) == (WEB, 4, None)
    events.close()
    api.do(api.store.compact(4))
    with pytest.raises(ClientError, match="revision 2 is compacted") as caught:
        next(api.client.watch("/v1/watch", **{"from": 2}))
    assert caught.value.reply is not None and caught.value.reply.error == "compacted"


def test_who_watches_is_let_go_at_the_end(tmp_path: Path) -> None:
    with RunningApi(tmp_path) as api:
        apply(api, service())
        events = api.client.watch("/v1/watch", **{"from": 2})
        next(events)
    with pytest.raises(ClientError):
        next(events)


def test_proxies(api: RunningApi) -> None:
    api.proxies.statuses = (ProxyStatus(name="web-1", connected=True, in_sync=True, version="1", revision=4),)
    assert api.client.get("/v1/proxies", ProxiesReply).proxies == api.proxies.statuses


@pytest.mark.parametrize(
    ("path", "query", "message"),
    [
        ("/v1/resources", {"kind": "servicse"}, 'no kind "servicse": did you mean "service"?'),
        ("/v1/resources", {"kind": "pod"}, 'no kind "pod": the kinds are Service, '),
        ("/v1/resources", {"namespace": "../x"}, "no namespace of a resource: '../x'"),
        ("/v1/resources", {"nmae": "x"}, "unknown parameter nmae: known are kind, namespace, name"),
        ("/v1/version", {"a": "b"}, "unknown parameter a: none is taken here"),
        ("/v1/describe", {"kind": "svc"}, "the name of the resource is missing"),
        ("/v1/describe", {"kind": "svc", "name": "web"}, "not there: Service default/web"),
        ("/v1/history", {"limit": "-1"}, "limit: no number: '-1'"),
        ("/v1/change", {"number": "x" * 200}, "number: no number: 'x"),
        ("/v1/nothing", {}, "no /v1/nothing; there are /v1/version, "),
        ("/v1/apply", {}, "/v1/apply is for POST only"),
    ],
)
def test_what_cannot_be_answered(api: RunningApi, path: str, query: dict[str, str], message: str) -> None:
    with pytest.raises(ClientError) as caught:
        api.client.get(path, VersionReply, **query)
    assert message in str(caught.value)


def test_the_names_of_kinds() -> None:
    for kind in KIND_NAMES:
        assert kind_named(kind) == kind_named(kind.upper()) == kind_named(f"{kind}s".replace("ys", "ies")) == kind
    assert [kind_named(name) for name in ("svc", "dr", "vs", "se", "we")] == [
        "Service", "DestinationRule", "VirtualService", "ServiceEntry", "WorkloadEntry",
    ]  # fmt: skip
    with pytest.raises(KindError):
        kind_named("")


# --- among people who mean no good ---


def raw(api: RunningApi, data: bytes) -> tuple[int, dict[str, Any]]:
    """Send bytes, and take the first answer."""
    address = parse_address(api.address)
    with socket.socket(socket.AddressFamily(address.family)) as connection:
        connection.settimeout(LIMIT_S)
        connection.connect(address.sockaddr())
        connection.sendall(data)
        received = b""
        while b"\r\n\r\n" not in received or not received.endswith(b"\n"):
            part = connection.recv(65536)
            if not part:
                break
            received += part
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), json.loads(body)


def request(method: str, path: str, body: bytes = b"", *headers: str, host: str = "localhost") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *headers]
    if body and not any(header.lower().startswith(("content-length", "transfer")) for header in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


JSON = "Content-Type: application/json"


@pytest.mark.parametrize(
    ("data", "status", "error"),
    [
        (request("POST", "/v1/apply", b"{", JSON), 400, "bad_request"),
        (request("POST", "/v1/apply", b"[" * 100_000, JSON), 400, "bad_request"),
        (request("POST", "/v1/apply", b'{"files": [], "more": 1}', JSON), 400, "bad_request"),
        (request("POST", "/v1/apply", b'{"files": [], "wait_ms": 1e9}', JSON), 400, "bad_request"),
        (request("POST", "/v1/apply", b'{"files": []}'), 415, "bad_request"),
        (request("POST", "/v1/apply", b'{"files": []}', JSON, "Origin: http://evil.example"), 403, "forbidden"),
        (request("PUT", "/v1/apply", b"{}", JSON), 405, "bad_request"),
        (request("DELETE", "/v1/resources"), 405, "bad_request"),
        (request("POST", "/v1/apply", b"x", JSON, "Content-Length: 999999999999"), 413, "too_large"),
        (b"GET /v1/version HTTP/1.1\r\n\r\n", 400, "bad_request"),
        (b"nonsense\r\n\r\n", 400, "bad_request"),
        (request("GET", "/v1/version", b"", "X: " + "x" * 20_000), 431, "bad_request"),
    ],
)
def test_what_is_refused(api: RunningApi, data: bytes, status: int, error: str) -> None:
    answered, reply = raw(api, data)
    assert (answered, reply["error"]) == (status, error)
    assert reply["message"]
    assert items(api) == []


def test_web_pages_are_kept_out_of_loopback(tmp_path: Path) -> None:
    with RunningApi(tmp_path, "127.0.0.1:0") as api:
        for host in ("127.0.0.1:9", "[::1]:9", "localhost", "LOCALHOST:80", "10.1.2.3"):
            assert raw(api, request("GET", "/v1/version", host=host))[0] == 200
        # A name of a web page's own that leads to loopback.
        for host in ("evil.example", "evil.example:80", "localhost.evil.example", "", "127.0.0.1.evil.example"):
            assert raw(api, request("GET", "/v1/resources", host=host))[0] == 403
        assert apply(api, service()).change.author == "unknown"  # type: ignore[union-attr]


def test_the_permissions_of_the_socket(tmp_path: Path) -> None:
    for number, mode in enumerate((0o600, 0o660)):
        folder = tmp_path / str(number)
        folder.mkdir()
        with RunningApi(folder, socket_mode=mode):
            assert (folder / "api.sock").stat().st_mode & 0o777 == mode
        assert not (folder / "api.sock").exists()


def test_connections_are_bounded_and_the_rest_served(api: RunningApi) -> None:
    limit = api.server.connections_limit
    address = parse_address(api.address)
    idle = []
    try:
        for _ in range(limit + 5):
            connection = socket.socket(socket.AF_UNIX)
            idle.append(connection)
            connection.connect(address.sockaddr())
            connection.settimeout(LIMIT_S)
        # Those over the limit are closed; all others stay.
        assert [connection.recv(1) for connection in idle[limit:]] == [b""] * 5
        idle[0].sendall(request("GET", "/v1/version"))
        assert idle[0].recv(12) == b"HTTP/1.1 200"
    finally:
        for connection in idle:
            connection.close()


def test_large_requests_are_bounded_together(api: RunningApi) -> None:
    address = parse_address(api.address)
    large = request("POST", "/v1/apply", b"x", JSON, f"Content-Length: {api.server.body_limit_bytes}")
    announced = []
    try:
        for _ in range(2):
            connection = socket.socket(socket.AF_UNIX)
            announced.append(connection)
            connection.connect(address.sockaddr())
            connection.sendall(large)
        wait_until(lambda: api.server._bodies_bytes == api.server.bodies_limit_bytes, "both are being read")
        status, reply = raw(api, request("POST", "/v1/apply", b'{"files": []}', JSON))
        assert (status, reply["error"]) == (503, "busy")
        assert items(api) == []
    finally:
        for connection in announced:
            connection.close()
    wait_until(lambda: api.server._bodies_bytes == 0, "what they held is free again")
    for _ in range(3):
        apply(api, service())


def test_a_large_set(api: RunningApi) -> None:
    names = [f"s{number}" for number in range(300)]
    reply = apply(api, "---\n".join(service(name) for name in names))
    assert len(reply.edits) == 300
    assert items(api) == sorted(f"Service default/{name}" for name in names)

"""The admin endpoint's pages, over a real connection: status, headers, and what stands in them."""

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from mesh_core.config import load_file
from tests.support.process import ProxyProcess, one_listener, running, short_folder
from tests.support.process_traffic import admin, admin_raw, ask, connect, echo_origin, has_ipv6

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"
GET_PAGES = {
    "/": TEXT,
    "/live": TEXT,
    "/ready": TEXT,
    "/stats": TEXT,
    "/stats?format=json": JSON,
    "/stats/prometheus": "text/plain; version=0.0.4; charset=utf-8",
    "/config_dump": JSON,
    "/clusters": TEXT,
    "/clusters?format=json": JSON,
    "/certs": JSON,
    "/listeners": TEXT,
    "/listeners?format=json": JSON,
}
POST_PAGES = ("/drain_listeners", "/logging")


@pytest.fixture(scope="module")
def proxy() -> Iterator[ProxyProcess]:
    """A proxy that is only looked at."""
    with short_folder() as folder, echo_origin() as echo, running(folder, one_listener(echo)) as proxy:
        yield proxy


@pytest.fixture
def own(folder: Path, echo: str) -> Iterator[ProxyProcess]:
    """A proxy of the test's own."""
    with running(folder, one_listener(echo)) as proxy:
        yield proxy


def test_get_and_head(proxy: ProxyProcess) -> None:
    for target, content_type in GET_PAGES.items():
        got = admin(proxy.admin, target)
        assert (got.status, got.headers["content-type"]) == (200, content_type), target
        assert int(got.headers["content-length"]) == len(got.body) > 0
        assert got.headers["cache-control"] == "no-store"
        assert got.headers["x-content-type-options"] == "nosniff"
        if content_type == JSON:
            json.loads(got.body)
        head = admin(proxy.admin, target, "HEAD")
        assert (head.status, head.body) == (200, b"")
        assert head.headers.keys() == got.headers.keys()


def test_what_changes_something_is_by_post_only(proxy: ProxyProcess) -> None:
    for target in POST_PAGES:
        for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS"):
            reply = admin(proxy.admin, target, method)
            assert (reply.status, reply.headers["allow"]) == (405, "POST"), (method, target)
    assert admin(proxy.admin, "/ready").status == 200


def test_a_web_page_changes_nothing(proxy: ProxyProcess) -> None:
    """Browsers mark what a page sends; without a check, any page could drain the proxy of whoever looks at it."""
    for header in ("Origin: http://page.example", "Sec-Fetch-Site: cross-site"):
        request = f"POST /drain_listeners HTTP/1.1\r\nHost: a\r\n{header}\r\nContent-Length: 0\r\n\r\n"
        assert [reply.status for reply in admin_raw(proxy.admin, request.encode())] == [403]
    assert admin(proxy.admin, "/ready").status == 200


def test_an_unknown_format_is_refused(proxy: ProxyProcess) -> None:
    reply = admin(proxy.admin, "/stats?format=prometheus")
    assert reply.status == 400
    assert "/stats/prometheus" in reply.text


def test_what_only_tells_something_is_by_get_only(proxy: ProxyProcess) -> None:
    for target in GET_PAGES:
        for method in ("POST", "PUT", "DELETE"):
            reply = admin(proxy.admin, target, method)
            assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD"), (method, target)


def test_what_is_not_there(proxy: ProxyProcess) -> None:
    for target in ("/nothing", "//", "/stats/", "/STATS", "/live/../live", "*"):
        assert admin(proxy.admin, target).status == 404, target


def test_the_list_of_pages_names_them_all(proxy: ProxyProcess) -> None:
    listed = {tuple(line.split()[:2]) for line in admin(proxy.admin, "/").text.splitlines()}
    wanted = {("GET", target) for target in GET_PAGES if "?" not in target} | {("POST", page) for page in POST_PAGES}
    assert listed == wanted


def test_ready_until_the_listeners_are_drained(own: ProxyProcess) -> None:
    reply = admin(own.admin, "/ready")
    assert (reply.status, reply.text) == (200, "LIVE\n")
    address = own.address()
    with connect(address) as client:
        ask(client, b"before")
        assert admin(own.admin, "/drain_listeners", "POST").text == "OK\n"
        reply = admin(own.admin, "/ready")
        assert (reply.status, reply.text) == (503, "DRAINING\n")
        assert admin(own.admin, "/live").status == 200
        with pytest.raises(ConnectionRefusedError):
            connect(address)
        ask(client, b"after")
        # A second time changes nothing.
        assert admin(own.admin, "/drain_listeners", "POST").status == 200
        assert admin(own.admin, "/listeners").text == ""


def test_the_dump_is_the_configuration(own: ProxyProcess) -> None:
    dump = json.loads(admin(own.admin, "/config_dump").body)
    assert dump == {"version": 1, "config": json.loads(msgspec.json.encode(load_file(own.config)))}
    own.reload()
    assert json.loads(admin(own.admin, "/config_dump").body)["version"] == 2


def test_clusters(own: ProxyProcess, echo: str) -> None:
    with connect(own.address()) as client:
        ask(client, b"hello")
        (cluster,) = json.loads(admin(own.admin, "/clusters?format=json").body)["clusters"]
        assert (cluster["name"], cluster["load_balancer"]) == ("app", "round_robin")
        assert cluster["stats"]["upstream_cx_active"] == 1
        (endpoint,) = cluster["endpoints"]
        assert endpoint["address"] == echo
        assert (endpoint["weight"], endpoint["priority"], endpoint["labels"]) == (1, 0, {})
        assert endpoint["locality"] == {"region": "", "zone": "", "sub_zone": ""}
        assert endpoint["health_status"] == {"failed_active_health_check": False, "failed_outlier_check": False}
        assert endpoint["stats"].items() >= {"cx_total": 1, "cx_active": 1, "cx_connect_fail": 0}.items()
        lines = admin(own.admin, "/clusters").text.splitlines()
        assert lines[:2] == ["app::type::static", "app::load_balancer::round_robin"]
        values = ["cx_total::1", "cx_active::1", "health_flags::healthy", "weight::1", "zone::", "priority::0"]
        assert {f"app::{echo}::{value}" for value in values} <= set(lines)


def test_listeners(proxy: ProxyProcess) -> None:
    address = proxy.address()
    assert json.loads(admin(proxy.admin, "/listeners?format=json").body) == {
        "listeners": [{"name": "in", "address": address}]
    }
    assert admin(proxy.admin, "/listeners").text == f"in::{address}\n"


@pytest.mark.parametrize("kind", ["IPv6", "unix", "abstract"])
def test_where_it_may_listen(folder: Path, echo: str, kind: str) -> None:
    address = {"IPv6": "[::1]:0", "unix": f"unix:{folder}/admin.sock", "abstract": f"unix:@{folder.name}"}[kind]
    if kind == "IPv6" and not has_ipv6():
        pytest.skip("this machine has no IPv6 loopback")
    with running(folder, one_listener(echo, admin={"address": address})) as proxy:
        assert admin(proxy.admin, "/ready").text == "LIVE\n"
    assert not (folder / "admin.sock").exists()

"""Targets and hosts: what policy looks at is what the upstream gets."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.http_mesh import HttpMesh
from tests.support.http_messages import get, request

NORMALIZED = [
    (b"/", b"/"), (b"/a?b=c", b"/a?b=c"), (b"/a?", b"/a?"), (b"/?", b"/?"), (b"/a?b?c", b"/a?b?c"), (b"/./a", b"/a"),
    (b"/a/.", b"/a/"), (b"/a/../b", b"/b"), (b"/../a", b"/a"), (b"/a/b/..", b"/a/"), (b"/..", b"/"),
    (b"/../../../a", b"/a"), (b"/a/./b/../c", b"/a/c"), (b"/%61", b"/a"), (b"/%41%7e%2D", b"/A~-"),
    (b"/%2e%2e/a", b"/a"), (b"/a/%2E%2e/b", b"/b"), (b"/.%2e/a", b"/a"), (b"/%2e/a", b"/a"), (b"/%c3%a9", b"/%C3%A9"),
    (b"/a%20b", b"/a%20b"), (b"/a%2fb", b"/a%2Fb"), (b"/a%2F..%2Fb", b"/a%2F..%2Fb"), (b"/%25%36%31", b"/%2561"),
    (b"/%2561", b"/%2561"), (b"/a//b", b"/a//b"), (b"//a", b"//a"), (b"//a/../b", b"//b"), (b"/a;x=y/../b", b"/b"),
    (b"/.../a", b"/.../a"), (b"/..a/.b", b"/..a/.b"), (b"/a?b=/../c", b"/a?b=/../c"), (b"/a?b=%61", b"/a?b=%61"),
    (b"/:a@b!$&'()*+,;=", b"/:a@b!$&'()*+,;="), (b"/{a}|[b]^`", b"/{a}|[b]^`"), (b"/?a\\b", b"/?a\\b"),
    (b"/%3f%23", b"/%3F%23"), (b"/%0d%0a", b"/%0D%0A"), (b"/a?%", b"/a?%"), (b"/a?%zz", b"/a?%zz"),
]  # fmt: skip


def test_paths_in_one_spelling(mesh: HttpMesh) -> None:
    """Dot segments go, escapes that need none are decoded; queries stay as they are."""
    found = []
    with mesh.client() as client:
        for sent, _ in NORMALIZED:
            found.append((sent, client.exchange(get(sent)).status))
    assert found == [(sent, 200) for sent, _ in NORMALIZED]
    assert list(zip([sent for sent, _ in NORMALIZED], mesh.targets(), strict=True)) == NORMALIZED


FORMS = [
    (b"GET http://b/c?d HTTP/1.1", b"/c?d", b"b"), (b"GET http://b:8080/ HTTP/1.1", b"/", b"b:8080"),
    (b"GET HTTP://b/../c HTTP/1.1", b"/c", b"b"), (b"GET http://b HTTP/1.1", b"/", b"b"),
    (b"GET http://b?c HTTP/1.1", b"/?c", b"b"), (b"GET http://[::1]:80/a HTTP/1.1", b"/a", b"[::1]:80"),
    (b"GET https://b/c HTTP/1.1", b"/c", b"b"), (b"GET http://B.Example/ HTTP/1.1", b"/", b"B.Example"),
    (b"GET http://b/http://c/ HTTP/1.1", b"/http://c/", b"b"), (b"OPTIONS * HTTP/1.1", b"*", b"a"),
    (b"GET http://b/ HTTP/1.0", b"/", b"b"),
]  # fmt: skip


def test_forms(mesh: HttpMesh) -> None:
    """A host in the target goes before that of Host, which is written anew (RFC 9112, section 3.2.2)."""
    assert {mesh.exchange(request(line=line)).status for line, _, _ in FORMS} == {200}
    found = [(each.target, each.values(b"Host")) for each in mesh.finish()]
    assert found == [(target, [host]) for _, target, host in FORMS]


def test_options_of_an_absolute_target_without_path(mesh: HttpMesh) -> None:
    """It means the server itself (RFC 9112, section 3.2.4)."""
    assert mesh.exchange(request(line=b"OPTIONS http://b HTTP/1.1")).status == 200
    (found,) = mesh.finish()
    assert (found.target, found.values(b"Host")) == (b"*", [b"b"])


HOSTS = [
    b"a", b"a.example:8080", b"[::1]", b"[2001:db8::1]:443", b"127.0.0.1:1", b"a-b_c~d.e", b"A.EXAMPLE", b"xn--a",
]  # fmt: skip


def test_hosts_go_on(mesh: HttpMesh) -> None:
    """As they came."""
    assert {mesh.exchange(request(host=b"Host: " + host)).status for host in HOSTS} == {200}
    assert [found.values(b"Host") for found in mesh.finish()] == [[host] for host in HOSTS]


FORBIDDEN = [
    b"/admin", b"/admin/", b"/admin/x", b"/admin?x", b"/%61dmin", b"/%61%64%6d%69%6e/x", b"/./admin", b"/x/../admin",
    b"/x/%2e%2e/admin", b"/x/.%2E/admin/y", b"/admin/.", b"/admin/x/..", b"/%2e/admin", b"/../admin",
    b"http://a/admin", b"http://b/x/../%61dmin", b"/x/y/../../admin", b"/admi%6e", b"/x/./../admin?a=/..",
]  # fmt: skip
ALLOWED = [
    b"/", b"/administrator", b"/x/admin", b"/admin%2Fx", b"/%2561dmin", b"/Admin", b"/?/admin", b"/admin/../x",
    b"/admin;x",
]  # fmt: skip


def test_what_policy_saw_is_what_the_upstream_gets(mesh_with: Callable[..., HttpMesh]) -> None:
    """No spelling of a path gets round the route for it."""
    mesh = mesh_with(routes=[
        {"name": "admin", "matches": [{"path": {"prefix": "/admin"}}], "direct_response": {"status": 403}},
        {"name": "rest", "cluster": "app"},
    ])  # fmt: skip
    with mesh.client() as client:
        answered = {target: client.exchange(get(target)).status for target in FORBIDDEN + ALLOWED}
    assert answered == dict.fromkeys(FORBIDDEN, 403) | dict.fromkeys(ALLOWED, 200)
    assert mesh.targets() == [{b"/admin/../x": b"/x"}.get(target, target) for target in ALLOWED]


def test_a_host_in_the_target_is_the_one_that_routes(mesh_with: Callable[..., HttpMesh]) -> None:
    """So that nobody is let in by one and served by the other."""
    mesh = mesh_with(virtual_hosts=[
        {"name": "inner", "hosts": ["inner"], "routes": [{"name": "inner", "direct_response": {"status": 403}}]},
        {"name": "rest", "hosts": ["*"], "routes": [{"name": "rest", "cluster": "app"}]},
    ])  # fmt: skip
    lines = {
        b"GET http://inner/ HTTP/1.1": 403, b"GET http://INNER:80/ HTTP/1.1": 403, b"GET http://outer/ HTTP/1.1": 200,
    }  # fmt: skip
    for host in (b"Host: inner", b"Host: outer", b"Host: INNER"):
        with mesh.client() as client:
            assert {line: client.exchange(request(line=line, host=host)).status for line in lines} == lines
            assert client.exchange(request(host=host)).status == (200 if host == b"Host: outer" else 403)
    assert {value for found in mesh.finish() for value in found.values(b"Host")} == {b"outer"}


@pytest.mark.parametrize(("action", "status", "arrived"), [
    ("reject_request", 400, None), ("unescape_and_forward", 403, None), ("unescape_and_redirect", 307, None),
    ("keep_unchanged", 200, b"/x%2F..%2Fadmin"),
])  # fmt: skip
def test_escaped_slashes(mesh_with: Callable[..., HttpMesh], action: str, status: int, arrived: bytes | None) -> None:
    """By configuration they are refused, or become slashes before anything is decided, or stay on purpose."""
    mesh = mesh_with(
        http={"path_with_escaped_slashes_action": action},
        routes=[
            {"name": "admin", "matches": [{"path": {"prefix": "/admin"}}], "direct_response": {"status": 403}},
            {"name": "rest", "cluster": "app"},
        ],
    )
    found = mesh.exchange(get(b"/x%2f..%2Fadmin"))
    assert found.status == status
    if status == 307:
        assert found.values(b"Location") == [b"/admin"]
    assert mesh.targets() == ([] if arrived is None else [arrived])

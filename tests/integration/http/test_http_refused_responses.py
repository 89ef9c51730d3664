"""Responses that could be read in two ways: the client gets an error, their connection is closed, nobody suffers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.support import http_bad_responses as bad
from tests.support.http_bad_responses import Bad
from tests.support.http_mesh import HttpMesh, complaints, failed
from tests.support.http_messages import get, response
from tests.support.http_origin import Gate

GROUPS = {
    "framing": bad.FRAMING,
    "fields": bad.FIELDS,
    "status-lines": bad.LINES,
    "too-large": bad.TOO_LARGE_HEADS,
    "controls": bad.CONTROLS,
}
Judge = Callable[[HttpMesh, bytes], str | None]


def judgements(mesh: HttpMesh, group: list[Bad], judge: Judge) -> Iterator[tuple[str, str | None]]:
    """Have each said on a pooled connection; afterwards a second client asks for something else."""
    victim = mesh.client()
    for index, each in enumerate(group):
        target = b"/bad/%d" % index
        mesh.origin.on(target, each.data)
        yield each.name, judge(mesh, target)
        found = victim.exchange(get(b"/victim/%d" % index))
        if (found.status, found.body) != (200, b"GET /victim/%d\n" % index):
            yield each.name, f"the victim gets {found}"
        spoilt = mesh.origin.connection_of(target)
        if spoilt.requests[-1].target != target:
            yield each.name, f"its connection is used again: {spoilt}"
        mesh.origin.wait(lambda spoilt=spoilt: spoilt.ended, f"the connection of {each} is closed")


def bad_gateway(mesh: HttpMesh, target: bytes) -> str | None:
    """The client gets a whole 502."""
    found = mesh.exchange(get(target))
    return None if found.status == 502 else f"the client gets {found}"


@pytest.mark.parametrize("group", GROUPS)
def test_heads(mesh: HttpMesh, group: str) -> None:
    """Nothing of the response has gone to the client."""
    assert complaints(judgements(mesh, GROUPS[group], bad_gateway)) == []


def cut(mesh: HttpMesh, target: bytes) -> str | None:
    """The client gets an error, or no end."""
    with mesh.client() as client:
        client.send(get(target))
        return failed(client)


def test_bodies(mesh: HttpMesh) -> None:
    """Faults in a chunked body."""
    assert complaints(judgements(mesh, bad.BODIES, cut)) == []


def test_bodies_under_way(mesh: HttpMesh) -> None:
    """The client has the response's head when its body turns out to be bad."""

    def judge(mesh: HttpMesh, target: bytes) -> str | None:
        head, end, body = mesh.origin.scripts[target].steps[0].partition(b"\r\n\r\n")  # type: ignore[union-attr]
        gate = Gate()
        mesh.origin.on(target, head + end, gate, body)
        with mesh.client() as client:
            client.send(get(target))
            got = client.received(15)
            gate.open()
            rest = client.until_end()
            if got != b"HTTP/1.1 200 OK" or b"HTTP" in rest or b"0\r\n\r\n" in rest or b"evil" in rest:
                return f"the client gets {got + rest!r}"
        return None

    assert complaints(judgements(mesh, bad.BODIES, judge)) == []


def test_a_fault_behind_early_hints(mesh: HttpMesh) -> None:
    """What has been passed on of 1xx does no harm."""
    hints = response(b"Link: </a>", line=b"HTTP/1.1 103 Early Hints")
    mesh.origin.on(b"/bad", hints, response(b"Content-Length: 1", b"Content-Length: 1") + b"x")
    with mesh.client() as client:
        client.send(get(b"/bad"))
        assert client.response().status == 502
        assert [each.status for each in client.interim] in ([103], [])


def test_an_interim_response_instead_of_a_final_one(mesh: HttpMesh) -> None:
    """1xx and then the end is no answer."""
    gate = Gate()
    mesh.origin.on(b"/bad", response(line=b"HTTP/1.1 103 Early Hints"), gate)
    with mesh.client() as client:
        client.send(get(b"/bad"))
        gate.wait_reached()
        mesh.fence()
        mesh.origin.hang_up(b"/bad")
        gate.open()
        assert failed(client) is None


def test_bad_responses_are_counted(mesh: HttpMesh) -> None:
    """By the cluster that they come from."""
    mesh.origin.on(b"/bad", response(b"Content-Length: x"))
    assert mesh.exchange(get(b"/bad")).status == 502
    assert mesh.proxy.stats("cluster", "app")["upstream_cx_protocol_error"] == 1

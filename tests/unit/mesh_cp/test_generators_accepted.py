"""Whatever a manifest says, if it is taken without an error then proxies take what is made of it.

Good manifests with one value replaced by another, which may be anything. A refusal would keep a proxy from everything
else that it should get.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from meshes import assembled, proxy

from mesh_cp.generators import Dial, Generator
from mesh_cp.model import Workload, WorkloadPort, build
from mesh_cp.model.workload import locality
from mesh_cp.resources import from_document, load

MANIFESTS = Path(__file__).parent / "golden" / "every_field.yaml"

VALUES: list[Any] = [
    "cart", "cart.shop", "v1", "/", "/a", "/a/", "/a//b", "/a/../b", "/%2e", "/a%zz", "*", "*.example", "10s", "0s",
    "1ms", "99999h", "GET", "get", "host", "Host", "x-a", "content-length", "te", "https://a.example", "https://",
    "a.example:99999", "a.example:80", "é", "/é", " a", "", "a b", "/a b", "[0-9]+", "(", "(?i)a", "x" * 1025,
    "/" + "x" * 1023, "/" + "." * 499, "a" * 64 + ".b", "%REQ(a)%", "10.0.0.1", "unix:///a", "unix://b", "::1",
    "0.0.0.0", "eu/a/b", "a/b/c/d", "x" * 300 + "/a", "5xx", "503,reset", "\x01", "-", "c", "s", "http", "mesh",
    "spiffe://a/b", ".", "~", "system", "_a_", "a?b", "/a?b", "/a#b", "-----BEGIN", "\ud800", "a\nb", "null", 0, 1, 2,
    80, 81, 100, 101, 204, 301, 305, 6379, 70_000, 2**31 - 1, 2**40, -1, 0.5, 100.0, 101.0, True, False,
]  # fmt: skip

RESOURCES = load(MANIFESTS.read_bytes(), "m").resources
DOCUMENTS = [resource.document for resource in RESOURCES]
WORKLOAD = Workload(
    id="w", namespace="shop", name="w", ports=(WorkloadPort(number=0, address="10.0.0.1:1"),),
    labels={"app": "cart", "version": "v2"}, locality=locality("eu/a"),
)  # fmt: skip
PROXY = proxy("*", dials=(Dial(host="*"), Dial(host="cart", port=6379, listen="127.0.0.1:6379")))
Place = tuple[int, tuple[str | int, ...]]


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The paths of all values within `value`."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ())
    for key, below in inner:
        yield from places(below, (*path, key))


PLACES = [(number, ("spec", *path)) for number, each in enumerate(DOCUMENTS) for path in places(each["spec"])]


def accepted(place: Place, value: Any, *, as_key: bool = False) -> None:
    """Put `value` at `place`, or make it the key that stands there; what comes of it must be good for proxies."""
    number, path = place
    document = copy.deepcopy(DOCUMENTS[number])
    holder: Any = document
    for step in path[:-1]:
        holder = holder[step]
    if as_key and isinstance(holder, dict):
        holder[value] = holder.pop(path[-1])
    else:
        holder[path[-1]] = value
    resources = [*RESOURCES[:number], *from_document(document, "m").resources, *RESOURCES[number + 1 :]]
    assembled(Generator(build(resources, [WORKLOAD])).generate(PROXY).outputs)


def test_all_of_it_is_good_as_it_stands() -> None:
    assert len(DOCUMENTS) == 7
    accepted((0, ("spec", "type")), "ClusterIP")


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(PLACES), st.sampled_from(VALUES), st.booleans())
def test_what_is_taken_is_good_for_proxies(place: Place, value: Any, as_key: bool) -> None:
    accepted(place, str(value) if as_key else value, as_key=as_key)

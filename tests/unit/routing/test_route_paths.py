"""Paths and hosts that upstreams and redirects are given."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from routed import answering, forwarding, request

from mesh_core._testing.route_actions import Unwritten, is_origin_form

# The first rows are those of the Gateway API's HTTPPathModifier; then what follows from them.
PREFIXES = [
    ("/foo/bar", "/foo", "/xyz", "/xyz/bar"),
    ("/foo/bar", "/foo", "/xyz/", "/xyz/bar"),
    ("/foo/bar", "/foo/", "/xyz", "/xyz/bar"),
    ("/foo/bar", "/foo/", "/xyz/", "/xyz/bar"),
    ("/foo", "/foo", "/xyz", "/xyz"),
    ("/foo/", "/foo", "/xyz", "/xyz/"),
    ("/foo/bar", "/foo", "", "/bar"),
    ("/foo/", "/foo", "", "/"),
    ("/foo", "/foo", "", "/"),
    ("/foo/", "/foo", "/", "/"),
    ("/foo", "/foo", "/", "/"),
    ("/foo/bar", "/foo", "/", "/bar"),
    ("/foo", "/foo", "/xyz/", "/xyz/"),
    ("/foo", "/foo/", "/xyz", "/xyz"),
    ("/foo//bar", "/foo", "/", "/bar"),
    ("/foo///", "/foo", "", "/"),
    ("/foo//bar", "/foo", "/xyz", "/xyz//bar"),
    ("/bar", "/", "/xyz", "/xyz/bar"),
    ("/", "/", "/xyz", "/xyz/"),
    ("/bar", "", "/xyz", "/xyz/bar"),
    ("//evil.example/a", "/", "/", "/evil.example/a"),
    ("/a%2Fb/c", "/a%2Fb", "/x", "/x/c"),
    # Not what the route matched: nothing is replaced.
    ("/foobar", "/foo", "/xyz", "/foobar"),
    ("/other", "/foo", "/xyz", "/other"),
]


@pytest.mark.parametrize(("path", "matched", "prefix", "wanted"), PREFIXES)
@pytest.mark.parametrize("query", ["", "?", "?a=/b//c&d?e"])
def test_prefixes(path: str, matched: str, prefix: str, wanted: str, query: str) -> None:
    route, _snapshot = forwarding(prefix=matched, rewrite={"path": {"prefix": prefix}})
    assert route.target(request(path + query)) == (wanted + query).encode()
    redirect = answering(prefix=matched, redirect={"path": {"prefix": prefix}})
    assert redirect.location(request(path + query)) == f"http://shop.example{wanted}{query}".encode()


def test_whole_paths() -> None:
    route, _snapshot = forwarding(rewrite={"path": {"full": "/new"}})
    assert route.target(request("/old/one?q=1")) == b"/new?q=1"
    assert route.target(request("/")) == b"/new"


def test_without_a_change() -> None:
    route, _snapshot = forwarding()
    assert route.target(request("/a/../b/%7e?x=%zz")) == b"/b/~?x=%zz"
    assert route.target(request("//evil//a")) == b"//evil//a"
    assert route.target(request("http://shop.example?q")) == b"/?q"
    assert route.target(request("http://shop.example")) == b"/"
    assert route.authority(request("/", host="a.example:81")) == b"a.example:81"


def test_what_is_no_path_stays() -> None:
    route, _snapshot = forwarding(prefix="/", rewrite={"path": {"prefix": "/x"}})
    assert route.target(request("*", method="OPTIONS")) == b"*"
    assert route.target(request("a.example:443", method="CONNECT", host="a.example:443")) == b""


def test_another_host() -> None:
    route, _snapshot = forwarding(rewrite={"host": "app.internal:8080"})
    assert route.authority(request("/")) == b"app.internal:8080"
    assert route.target(request("/a?b")) == b"/a?b"


@pytest.mark.parametrize("rewrite", [None, {"path": {"full": "/four"}}, {"path": {"prefix": "/x"}}])
def test_targets_that_do_not_fit(rewrite: dict[str, Any] | None) -> None:
    route, _snapshot = forwarding(prefix="/foo", **({"rewrite": rewrite} if rewrite else {}))
    asked = request("/foo/bar?query")
    whole = route.target(asked)
    assert route.target(asked, len(whole)) == whole
    for capacity in range(len(whole)):
        with pytest.raises(Unwritten, match="overflow"):
            route.target(asked, capacity)


# --- properties ---

SEGMENTS = st.text(st.sampled_from("aZ9-._~!$&'()*+,;=:@"), min_size=1, max_size=6).filter(
    lambda text: text not in (".", "..")
)
PATHS = st.lists(SEGMENTS | st.just(""), min_size=1, max_size=5).map(lambda parts: "/" + "/".join(parts))
PLAIN = st.lists(SEGMENTS, max_size=4).map(lambda parts: "/" + "/".join(parts))
QUERIES = st.none() | st.text(st.sampled_from("aZ9-._~!$&'()*+,;=:@/?%"), max_size=20)


@given(PLAIN, PATHS, PLAIN | st.just(""), st.booleans(), QUERIES)
def test_rewritten_prefixes_are_targets(matched: str, rest: str, prefix: str, slash: bool, query: str | None) -> None:
    new = prefix + "/" * (slash and prefix != "/")
    route, _snapshot = forwarding(prefix=matched, rewrite={"path": {"prefix": new}})
    asked = request(matched.rstrip("/") + rest + ("" if query is None else "?" + query))
    target = route.target(asked)
    path, sent_query = asked.normalized
    assert is_origin_form(target)
    assert not target.startswith(b"//")
    assert target.partition(b"?")[2] == (sent_query or b"")
    # What comes out is normalized: normalizing it again, as an upstream may do, leads to nothing else.
    assert request(target).normalized == (target.partition(b"?")[0], sent_query)
    assert path.startswith(matched.rstrip("/").encode())


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_any_target_stays_one(path: bytes, query: bytes) -> None:
    try:
        asked = request(b"/foo/" + path + b"?" + query)
    except ValueError:
        return
    for rewrite in ({"prefix": "/"}, {"prefix": "/x/"}, {"full": "/y"}):
        route, _snapshot = forwarding(prefix="/foo", rewrite={"path": rewrite})
        assert is_origin_form(route.target(asked))

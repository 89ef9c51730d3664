"""Which route a request goes by: the documented rules by example, and a plain model for everything else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from route_model import Asked, choose, listener, with_routes

from mesh_core._testing.routes import Routes
from mesh_core.config import Config, ConfigError, Listener, check_config
from mesh_core.config.schema import (
    DirectResponse,
    HeaderMatch,
    PathMatch,
    QueryParameterMatch,
    Redirect,
    Route,
    RouteMatch,
    VirtualHost,
)
from mesh_core.runtime.memory import live_allocations

ANSWER = DirectResponse(status=200)


def route(name: str, *matches: RouteMatch) -> Route:
    return Route(name=name, matches=matches, direct_response=ANSWER)


def by_path(**path: str) -> RouteMatch:
    return RouteMatch(path=PathMatch(**path))


def found(table: Routes, asked: Asked) -> Any:
    return table.find(asked.authority, asked.path, asked.method, list(asked.headers), asked.query, asked.secure)


def chosen(of: Listener, asked: Asked) -> str | None:
    """The route's name by the table, which the model must confirm."""
    result = found(Routes(of), asked)
    assert result == choose(of, asked)
    return None if result is None else str(result[1])


def host(name: str, *hosts: str) -> VirtualHost:
    return VirtualHost(name=name, hosts=hosts, routes=(route(name),))


HOSTS = listener(
    host("exact", "Shop.example"), host("exact:8080", "shop.example:8080"), host("below", "*.shop.example"),
    host("below:8080", "*.shop.example:8080"), host("deep", "*.a.shop.example"), host("any:8080", "*:8080"),
    host("only:443", "only.example:443"), host("only:80", "only.example:80"), host("six", "[::1]"), host("any", "*"),
)  # fmt: skip


@pytest.mark.parametrize(("authority", "secure", "expected"), [
    (b"shop.example", False, "exact"), (b"SHOP.example.", False, "exact"), (b"shop.example:80", False, "exact"),
    (b"shop.example:8080", False, "exact:8080"), (b"shop.example.:8080", True, "exact:8080"),
    (b"b.shop.example", False, "below"), (b"c.b.shop.example:81", False, "below"),
    (b"b.shop.example:8080", False, "below:8080"), (b"b.a.shop.example", False, "deep"),
    (b"b.a.shop.example:8080", False, "deep"), (b"a.shop.example", False, "below"), (b"xshop.example", False, "any"),
    (b".shop.example", False, "any"), (b"only.example", False, "only:80"), (b"only.example", True, "only:443"),
    (b"only.example:", True, "only:443"), (b"only.example:81", False, "any"),
    (b"only.example:8080", False, "any:8080"),
    (b"[::1]", False, "six"), (b"[::1]:9", False, "six"), (b"::1", False, "any"), (b"", False, "any"),
    (b"other:8080", False, "any:8080"), (b"other:0008080", False, "any:8080"),
    (b"o:99999999999999998080", False, "any"),
    (b"example", False, "any"), (b":8080", False, "any:8080"), (b"." * 60000, False, "any"),
    (b"b." * 30000 + b"shop.example", False, "below"), (b"x" * 65000 + b".a.shop.example.:1", False, "deep"),
])  # fmt: skip
def test_virtual_hosts(authority: bytes, secure: bool, expected: str) -> None:
    of = HOSTS
    result = found(Routes(of), Asked(authority=authority, secure=secure))
    assert result == (expected, expected, "")
    # The model knows no names that begin with a dot.
    if authority != b".shop.example":
        assert choose(of, Asked(authority=authority, secure=secure)) == result


def test_no_virtual_host_and_no_route() -> None:
    only = VirtualHost(name="a", hosts=("a.example",), routes=(route("a", by_path(exact="/a")),))
    of = listener(only, host("b", "b"))
    assert chosen(of, Asked(authority=b"c.example")) is None
    assert chosen(of, Asked(authority=b"a.example")) is None
    assert chosen(of, Asked(authority=b"a.example", path=b"/a")) == "a"
    assert found(Routes(listener()), Asked()) is None


PATHS = with_routes(
    route("root", by_path(prefix="/")), route("foo", by_path(prefix="/foo/")),
    route("foo/bar", by_path(prefix="/foo/bar")),
    route("=foo/bar", by_path(exact="/foo/bar")), route("=foo/", by_path(exact="/foo/")),
    route("number", by_path(regex="/foo/[0-9]+")), route("any number", by_path(regex=".*/[0-9]+/x")),
    route("letters", by_path(regex="/foo/(bar|baz)/.*")),
)  # fmt: skip


@pytest.mark.parametrize(("path", "expected"), [
    (b"/", "root"), (b"", "root"), (b"*", "root"), (b"/foo", "foo"), (b"/foo/", "=foo/"), (b"/foo/x", "foo"),
    (b"/foobar", "root"), (b"/foo/bar", "=foo/bar"), (b"/foo/bar/", "letters"), (b"/foo/bars", "foo"),
    (b"/foo/bar2/", "foo"), (b"/foo/1", "number"), (b"/foo/1/x", "any number"), (b"/foo/1/", "foo"),
    (b"/Foo", "root"), (b"//foo", "root"), (b"/foo//bar", "foo"), (b"/foo/baz/1/x", "any number"),
])  # fmt: skip
def test_paths(path: bytes, expected: str) -> None:
    assert chosen(PATHS, Asked(path=path)) == expected


def test_connect_and_options() -> None:
    of = with_routes(route("all"), route("slash", by_path(exact="/")))
    assert found(Routes(of), Asked(path=b"", method=b"CONNECT")) == ("all", "all", "")
    assert found(Routes(of), Asked(path=b"*", method=b"OPTIONS")) == ("all", "all", "")
    assert found(Routes(of), Asked(path=b"")) == ("all", "slash", "")


def test_every_line_of_the_order() -> None:
    a, b = HeaderMatch(name="a", present=True), HeaderMatch(name="b", present=True)
    p, q = QueryParameterMatch(name="p", present=True), QueryParameterMatch(name="q", present=True)
    get = {"method": "GET"}
    root, prefix, regex, exact = (
        PathMatch(prefix="/"), PathMatch(prefix="/x"), PathMatch(regex="/x"), PathMatch(exact="/x")
    )  # fmt: skip
    lowest_first: list[dict[str, Any]] = []
    for path in (root, prefix, regex, exact):
        for method in ({}, get):
            for headers in ((), (a,), (a, b)):
                for parameters in ((), (p,), (p, q)):
                    lowest_first.append({"path": path, **method, "headers": headers, "query_parameters": parameters})
    asked = Asked(path=b"/x", headers=((b"a", b"1", True), (b"b", b"1", True)), query=b"p&q")
    for count in range(1, len(lowest_first) + 1):
        routes = [route(str(place), RouteMatch(**each)) for place, each in enumerate(lowest_first[:count])]
        assert chosen(with_routes(*routes), asked) == str(count - 1)
        assert chosen(with_routes(*reversed(routes)), asked) == str(count - 1)


def test_the_order_in_the_list() -> None:
    first = route("first", RouteMatch(headers=(HeaderMatch(name="a", present=True),)))
    second = route("second", RouteMatch(headers=(HeaderMatch(name="b", present=True),)))
    asked = Asked(headers=((b"a", b"", True), (b"b", b"", True)))
    assert chosen(with_routes(first, second), asked) == "first"
    assert chosen(with_routes(second, first), asked) == "second"


@pytest.mark.parametrize(("match", "headers", "fits"), [
    ({"exact": "1,2"}, [b"1", b"2"], True), ({"exact": "1,2"}, [b"1,2"], True), ({"exact": "1"}, [b"1", b"2"], False),
    ({"exact": "1,"}, [b"1", b""], True), ({"exact": ""}, [b""], True), ({"exact": ""}, [], False),
    ({"prefix": "1,"}, [b"1", b"2"], True), ({"prefix": "12"}, [b"1", b"2"], False), ({"prefix": "ab"}, [b"a"], False),
    ({"regex": "1,[2]"}, [b"1", b"2"], True), ({"regex": "1"}, [b"12"], False), ({"regex": ".*"}, [], False),
    ({"regex": ".*"}, [b"\xff"], False), ({"present": True}, [b""], True), ({"present": False}, [b""], False),
    ({"present": False}, [], True), ({"exact": "1", "invert": True}, [], True),
    ({"exact": "1", "invert": True}, [b"1"], False), ({"present": False, "invert": True}, [b"1"], True),
])  # fmt: skip
def test_headers(match: dict[str, Any], headers: list[bytes], fits: bool) -> None:
    of = with_routes(route("it", RouteMatch(headers=(HeaderMatch(name="X-a", **match),))))
    sent = [(b"b", b"1", True)] + [(b"x-A", value, True) for value in headers]
    assert (found(Routes(of), Asked(headers=tuple(sent))) is not None) == fits


def test_headers_of_this_connection() -> None:
    of = with_routes(
        route("upgrade", RouteMatch(headers=(HeaderMatch(name="upgrade", exact="websocket"),))),
        route("other", RouteMatch(headers=(HeaderMatch(name="x", exact="1"),))),
    )
    assert chosen(of, Asked(headers=((b"Upgrade", b"websocket", False),))) == "upgrade"
    assert chosen(of, Asked(headers=((b"x", b"1", False),))) is None
    assert chosen(of, Asked(headers=((b"x", b"1", True),))) == "other"


def test_cookies() -> None:
    of = with_routes(route("it", RouteMatch(headers=(HeaderMatch(name="Cookie", exact="a=1; b=2"),))))
    assert chosen(of, Asked(headers=((b"cookie", b"a=1", True), (b"cookie", b"b=2", True)))) == "it"


@pytest.mark.parametrize(("match", "query", "fits"), [
    ({"exact": "2"}, b"a+b=2", True), ({"exact": "2"}, b"a%20b=%32", True), ({"exact": "2"}, b"a b=2", True),
    ({"exact": "2"}, b"a+b=1&a+b=2", False), ({"exact": "1"}, b"&&a+b=1&a+b=2", True), ({"exact": ""}, b"a+b", True),
    ({"exact": ""}, b"a+b=", True), ({"exact": ""}, b"a+bc", False), ({"exact": "%zz%4"}, b"a+b=%zz%4", True),
    ({"exact": "="}, b"a+b==", True), ({"exact": "é"}, b"a+b=%c3%A9", True), ({"regex": "[0-9]+"}, b"a+b=1%32", True),
    ({"regex": "[0-9]+"}, b"a+b=", False), ({"present": True}, b"a+b", True), ({"present": True}, b"A+b", False),
    ({"present": False}, b"a", True), ({"present": False}, b"a+b", False), ({"present": True}, None, False),
    ({"exact": "&"}, b"a+b=%26", True), ({"exact": "1"}, b"=1&a%2Bb=1&a+b=1", True),
    ({"regex": "\\x00"}, b"a+b=%00", True),
])  # fmt: skip
def test_query_parameters(match: dict[str, Any], query: bytes | None, fits: bool) -> None:
    of = with_routes(route("it", RouteMatch(query_parameters=(QueryParameterMatch(name="a b", **match),))))
    assert (chosen(of, Asked(query=query)) is not None) == fits


def test_more_query_parameters_than_are_noted() -> None:
    names = [f"p{index}" for index in range(40)]
    of = with_routes(*(
        route(name, RouteMatch(query_parameters=tuple(
            QueryParameterMatch(name=each, exact="1" if each == name else "0") for each in names))) for name in names
    ))  # fmt: skip
    for name in names:
        query = "&".join(f"{each}={int(each == name)}" for each in names).encode()
        assert chosen(of, Asked(query=query)) == name


def test_the_first_of_the_list_with_route_order_listed() -> None:
    odd = "/!$&'()*+,;=:@Az0._~%41-/[]{}^|`"
    of = listener(VirtualHost(name="all", hosts=("*",), route_order="listed", routes=(
        route("header", RouteMatch(headers=(HeaderMatch(name="a", exact="1"),))),
        route("odd", by_path(exact=odd)),
        route("prefix", by_path(prefix="/a/")),
        route("hidden", by_path(exact="/a/b")),
        route("rest", RouteMatch(method="GET")),
    )))  # fmt: skip
    assert chosen(of, Asked(path=b"/a/b", headers=((b"a", b"1", True),))) == "header"
    assert chosen(of, Asked(path=odd.encode())) == "odd"
    assert chosen(of, Asked(path=odd.encode() + b"x")) == "rest"
    assert [chosen(of, Asked(path=path)) for path in (b"/a", b"/a/b", b"/ab", b"*")] == ["prefix"] * 2 + ["rest"] * 2
    assert chosen(of, Asked(path=b"/b", method=b"PUT")) is None


def test_short_forms() -> None:
    of = Listener(name="in", address="x", protocol="http", routes=(route("a"),))
    assert found(Routes(of), Asked(authority=b"")) == ("*", "a", "")


def test_the_same_action_with_several_prefixes() -> None:
    of = with_routes(Route(
        name="old", matches=(by_path(prefix="/a/"), by_path(prefix="/b"), by_path(exact="/c")), redirect=Redirect()))
    assert [found(Routes(of), Asked(path=path))[2] for path in (b"/a/x", b"/b", b"/c")] == ["/a", "/b", ""]


@pytest.mark.parametrize("path", [
    b"/" * 8192, b"/a" * 4096, b"/a/b" + b"/" * 8000, b"/" + b"a" * 8191, b"/\xff\x00" * 2000, b"a/" * 4000,
])  # fmt: skip
def test_hostile_paths(path: bytes) -> None:
    of = with_routes(
        route("long", by_path(prefix="/a" * 2000)), route("slashes", by_path(prefix="/x" + "/" * 4000 + "y")),
        route("two", by_path(prefix="/a/b")), route("regex", by_path(regex="(/a*)*x")), route("rest"),
    )  # fmt: skip
    expected = "two" if path.startswith(b"/a/b") else "long" if path.startswith(b"/a" * 2000) else "rest"
    assert found(Routes(of), Asked(path=path))[1] == expected


def test_many_hosts_and_routes() -> None:
    of = listener(*(
        VirtualHost(name=f"v{number}", hosts=(f"v{number}.example", f"*.v{number}.example"), routes=tuple(
            route(f"r{each}", by_path(prefix=f"/r{each}/{number}")) for each in range(10)))
        for number in range(1000)
    ))  # fmt: skip
    table = Routes(of)
    for number in range(0, 1000, 7):
        for authority in (b"v%d.example", b"x.V%d.example:81"):
            for each in range(10):
                result = found(table, Asked(authority=authority % number, path=b"/r%d/%d/x" % (each, number)))
                assert result == (f"v{number}", f"r{each}", f"/r{each}/{number}")
    assert found(table, Asked(authority=b"v1.example", path=b"/r1/2")) is None
    assert found(table, Asked(authority=b"v1000.example", path=b"/r1/1")) is None


def test_memory_is_given_back() -> None:
    before = live_allocations()
    table = Routes(PATHS)
    found(table, Asked())
    assert live_allocations() > before
    del table
    assert live_allocations() == before


_SEGMENTS = st.lists(st.sampled_from(["a", "b", "ab", ""]), max_size=4)
_PATHS = _SEGMENTS.map(lambda parts: "/" + "/".join(parts))
_REGEXES = st.sampled_from(["/a/[ab]+", "/a/b?", ".*", "/(a|ab)(/b)*", "/a(/.*)?", "[^b]*", "/ab/a|/b"])
_NAMES = st.sampled_from(["a", "b", "cookie", "upgrade"])
_VALUES = st.sampled_from([{"exact": "a"}, {"regex": "a*"}, {"present": True}, {"present": False}, {"exact": "a,b"}])
_HEADERS = st.builds(
    lambda name, value, invert: HeaderMatch(name=name, invert=invert, **value), _NAMES,
    _VALUES | st.just({"prefix": "a"}), st.booleans(),
)  # fmt: skip
_PARAMETERS = st.builds(lambda name, value: QueryParameterMatch(name=name, **value), _NAMES, _VALUES)
_MATCHES = st.builds(
    RouteMatch,
    path=st.none() | st.builds(PathMatch, exact=_PATHS) | st.builds(PathMatch, prefix=_PATHS)
    | st.builds(PathMatch, regex=_REGEXES),
    method=st.sampled_from([None, None, "GET", "M"]),
    headers=st.lists(_HEADERS, max_size=2).map(tuple),
    query_parameters=st.lists(_PARAMETERS, max_size=2).map(tuple),
)  # fmt: skip
_HOSTS = st.sampled_from([
    "*", "*:80", "*:81", "a", "a:80", "a:443", "*.a", "*.a:81", "b.a", "b.a.", "B.a:80", "*.b.a", "*.B.a:443",
    "[::1]:80",
])  # fmt: skip
_AUTHORITIES = st.builds(
    lambda host, port: (host + port).encode(), st.sampled_from(["", "a", "A.", "b.a", "c.a", "c.b.a", "[::1]", "ba"]),
    st.sampled_from(["", ":80", ":81", ":443", ":"]),
)  # fmt: skip


_ORDERS = st.sampled_from(("most_exact", "listed"))


@st.composite
def _listeners(draw: st.DrawFn) -> Listener:
    hosts = draw(st.lists(st.lists(_HOSTS, min_size=1, max_size=3), min_size=1, max_size=3))
    return listener(*(
        VirtualHost(name=f"v{index}", hosts=tuple(each), route_order=draw(_ORDERS), routes=tuple(
            route(f"r{place}", *matches)
            for place, matches in enumerate(draw(st.lists(st.lists(_MATCHES, max_size=3), max_size=6)))))
        for index, each in enumerate(hosts)
    ))  # fmt: skip


_ASKED = st.builds(
    Asked,
    authority=_AUTHORITIES,
    path=_PATHS.map(str.encode) | st.just(b""),
    method=st.sampled_from([b"GET", b"M", b"POST"]),
    headers=st.lists(
        st.tuples(st.sampled_from([b"a", b"A", b"b", b"Cookie", b"upgrade"]), st.sampled_from([b"", b"a", b"b", b"aa"]),
                  st.booleans()), max_size=4).map(tuple),
    query=st.none() | st.lists(
        st.sampled_from(["a=a", "a", "%61=a", "b=%61a", "+=1", "a=a%2Cb", "b=b&a=%zz", "", "cookie=a"]),
        max_size=3).map(lambda parts: "&".join(parts).encode()),
    secure=st.booleans(),
)  # fmt: skip


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_listeners(), st.lists(_ASKED, min_size=1, max_size=10))
def test_as_the_model_says(of: Listener, requests: list[Asked]) -> None:
    try:
        check_config(Config(listeners=(of,)))
    except ConfigError:
        return  # the same host or the same match twice
    table = Routes(of)
    for asked in requests:
        assert found(table, asked) == choose(of, asked), asked

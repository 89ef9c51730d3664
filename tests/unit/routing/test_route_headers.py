"""Changes of headers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from routed import answering, forwarding, request

FIELDS = ("X-A: 1", "x-b: 2", "X-a: 3", "X-C: 4")
HOST = (b"Host", b"shop.example")


def test_every_kind() -> None:
    changes = {"set": {"x-A": "set", "x-new": "n"}, "add": {"X-B": "added"}, "remove": ["x-c", "x-absent"]}
    route, _snapshot = forwarding(request_headers=changes)
    kept, added = route.edit(request("/", *FIELDS))
    assert kept == [HOST, (b"x-b", b"2")]
    assert added == [(b"x-A", b"set"), (b"x-new", b"n"), (b"X-B", b"added")]


def test_without_changes() -> None:
    route, _snapshot = forwarding()
    kept, added = route.edit(request("/", *FIELDS))
    assert [name for name, _ in kept] == [b"Host", b"X-A", b"x-b", b"X-a", b"X-C"]
    assert added == []


def test_values_are_kept_as_they_are() -> None:
    route, _snapshot = forwarding(request_headers={"set": {"x": "é %REQ(x)% \t, b", "y": ""}})
    assert route.edit(request("/"))[1] == [(b"x", "é %REQ(x)% \t, b".encode()), (b"y", b"")]


def test_later_changes_are_of_earlier_ones_too() -> None:
    route, _snapshot = forwarding(
        request_headers={"set": {"x-a": "route"}, "add": {"x-d": "route", "x-e": "route"}},
        response_headers={"set": {"x-a": "answer of route"}},
        clusters=[
            {"cluster": "app", "request_headers": {"set": {"X-A": "cluster"}, "remove": ["x-D"]}},
            {"cluster": "app", "response_headers": {"add": {"x-a": "answer of cluster"}}},
        ],
    )
    kept, added = route.edit(request("/", *FIELDS), ("route", "cluster"))
    assert kept == [HOST, (b"x-b", b"2"), (b"X-C", b"4")]
    assert added == [(b"x-e", b"route"), (b"X-A", b"cluster")]
    assert route.edit(request("/"), ("route", "cluster"), 1)[1] == [
        (b"x-a", b"route"), (b"x-d", b"route"), (b"x-e", b"route"),
    ]  # fmt: skip
    assert route.edit(request("/"), ("cluster response", "route response"), 1)[1] == [(b"x-a", b"answer of route")]
    assert route.edit(request("/"), ("cluster response",), 1)[1] == [(b"x-a", b"answer of cluster")]


def test_answers_of_the_proxy_itself() -> None:
    route = answering(direct_response={"status": 200}, response_headers={"add": {"x-by": "proxy"}})
    assert route.edit(request("/"), ("route response",))[1] == [(b"x-by", b"proxy")]


def test_all_that_there_may_be_fits() -> None:
    many = {
        "set": {f"s{each}": "1" for each in range(16)},
        "add": {f"a{each}": "1" for each in range(16)},
        "remove": [f"r{each}" for each in range(16)],
    }
    other = {key: {"o" + name: "2" for name in many[key]} for key in ("set", "add")}
    route, _snapshot = forwarding(
        request_headers=many, clusters=[{"cluster": "app", "request_headers": other}]
    )
    assert len(route.edit(request("/"), ("route", "cluster"))[1]) == 64
    assert len(route.edit(request("/"), ("route", "cluster"), capacity=5)[1]) == 5


NAMES = st.sampled_from(["x-a", "X-A", "x-b", "x-aa", "y"])
VALUES = st.sampled_from(["1", "2", "v"])


@given(
    st.lists(st.tuples(NAMES, VALUES), max_size=6),
    st.dictionaries(NAMES, VALUES, max_size=3),
    st.dictionaries(NAMES, VALUES, max_size=3),
    st.lists(NAMES, max_size=3),
)
def test_against_a_model(
    fields: list[tuple[str, str]], to_set: dict[str, str], to_add: dict[str, str], to_remove: list[str]
) -> None:
    route, _snapshot = forwarding(request_headers={"set": to_set, "add": to_add, "remove": to_remove})
    wanted = [("host", "shop.example"), *fields]
    for name in to_remove:
        wanted = [each for each in wanted if each[0].lower() != name.lower()]
    for name, value in to_set.items():
        wanted = [*(each for each in wanted if each[0].lower() != name.lower()), (name, value)]
    wanted += to_add.items()
    kept, added = route.edit(request("/", *(f"{name}: {value}" for name, value in fields)))
    found = [(name.decode(), value.decode()) for name, value in kept + added]
    assert [(name.lower(), value) for name, value in found] == [(name.lower(), value) for name, value in wanted]

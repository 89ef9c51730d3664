"""What a route may do: how many of each, and what is taken."""

from __future__ import annotations

from typing import Any

import pytest

from mesh_core.config import ConfigError, load_builtins


def faults(**action: Any) -> list[tuple[str, str]]:
    """Field paths, within the route, and messages."""
    listener = {"name": "in", "address": "127.0.0.1:1", "protocol": "http", "routes": [action]}
    try:
        load_builtins({"listeners": [listener], "clusters": [{"name": "app", "endpoints": ["127.0.0.1:2"]}]})
    except ConfigError as error:
        return [(each.path.removeprefix("listeners[0].routes[0]."), each.message) for each in error.faults]
    return []


@pytest.mark.parametrize(
    ("name", "part", "most", "path", "message"),
    [
        ("clusters", {"cluster": "app"}, 128, "clusters[128]", "more than 128 clusters"),
        ("hash_policy", {"source_ip": True}, 16, "hash_policy[16]", "more than 16"),
        ("upgrades", "p{}", 16, "upgrades[16]", "more than 16"),
    ],
)
def test_how_many(name: str, part: Any, most: int, path: str, message: str) -> None:
    def several(count: int) -> list[tuple[str, str]]:
        parts = [part.format(each) if isinstance(part, str) else part for each in range(count)]
        return faults(**({} if name == "clusters" else {"cluster": "app"}), **{name: parts})

    assert several(most) == []
    assert several(most + 1) == [(path, message)]


@pytest.mark.parametrize("key", ["set", "add", "remove"])
def test_how_many_headers(key: str) -> None:
    def several(count: int) -> list[tuple[str, str]]:
        names = [f"h{each}" for each in range(count)]
        part = names if key == "remove" else dict.fromkeys(names, "1")
        return faults(direct_response={"status": 200}, response_headers={key: part})

    assert several(16) == []
    assert several(17) == [(f"response_headers.{key}", "more than 16 headers")]


def test_what_is_taken() -> None:
    everything = {
        "clusters": [
            {"cluster": "app", "weight": 0, "request_headers": {"set": {"X-A": ""}}},
            {"cluster": "app", "response_headers": {"remove": ["set-cookie"]}},
        ],
        "rewrite": {"path": {"prefix": ""}, "host": "[2001:db8::1]:8080"},
        "request_headers": {"add": {"x-%": "é, %REQ()%\t!"}},
        "hash_policy": [
            {"header": "x", "terminal": True},
            {"cookie": {"name": "c", "ttl_s": 0}},
            {"cookie": {"name": "d"}},
            {"query_parameter": "q[]"},
            {"source_ip": True},
        ],
        "session_affinity": {"cookie": {"name": "s", "path": "/a", "ttl_s": 34_560_000}, "strict": True},
        "upgrades": ["websocket", "connect", "irc/6.9"],
    }
    assert faults(**everything) == []
    assert faults(**everything, matches=[{"path": {"prefix": "/a"}}, {"method": "GET"}]) == []


@pytest.mark.parametrize("path", ["/;Domain=other", "/a;b", "/a,b", "a", ""])
def test_cookie_paths(path: str) -> None:
    ((at, _),) = faults(cluster="app", session_affinity={"cookie": {"name": "s", "path": path}})
    assert at == "session_affinity.cookie.path"

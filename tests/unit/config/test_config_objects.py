"""A configuration made of objects is held to what a file is held to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from config_strategies import configs
from hypothesis import given

from mesh_core.config import (
    AccessLog,
    Admin,
    Cluster,
    Config,
    ConfigError,
    Endpoint,
    Fault,
    Listener,
    ListenerTls,
    check_config,
)
from mesh_core.config.faults import FaultList
from mesh_core.config.message import read_message
from mesh_core.config.node import DEPTH_LIMIT, Mapping, Scalar
from mesh_core.config.schema import HttpSettings


def made(**more: Any) -> Config:
    """A configuration that is good but for what `more` says of its listener and cluster."""
    listener = {"name": "in", "address": "127.0.0.1:8080", "cluster": "app", **more.pop("listener", {})}
    cluster = {"name": "app", "endpoints": ("127.0.0.1:9001",), **more.pop("cluster", {})}
    return Config(**{"listeners": (Listener(**listener),), "clusters": (Cluster(**cluster),), **more})


def faults(config: Config) -> list[Fault]:
    with pytest.raises(ConfigError) as caught:
        check_config(config, "mine")
    assert caught.value.name == "mine"
    assert all(each.line is None and each.column is None for each in caught.value.faults)
    return list(caught.value.faults)


@given(configs())
def test_a_good_one_stays_as_it_is(config: Config) -> None:
    assert check_config(config) == config


def test_lists_become_tuples() -> None:
    config = made(cluster={"endpoints": ["127.0.0.1:9001"]})
    assert check_config(Config(listeners=list(config.listeners), clusters=list(config.clusters))) == made()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("config", "path", "message"),
    [
        (made(workers=0), "workers", "expected an integer from 1 to 256, found 0"),
        (made(workers=True), "workers", "expected an integer from 1 to 256, found true"),
        (made(listener={"name": ""}), "listeners[0].name", None),
        (made(listener={"name": "a\nb"}), "listeners[0].name", None),
        (made(listener={"address": 8080}), "listeners[0].address", "expected a string, found 8080"),
        (made(listener={"address": "nowhere"}), "listeners[0].address", 'no port in "nowhere"'),
        (made(listener={"cluster": "api"}), "listeners[0].cluster", 'no cluster "api"'),
        (made(listener={"protocol": "udp"}), "listeners[0].protocol", 'expected one of "http", "tcp", found "udp"'),
        (made(listener={"http": HttpSettings()}), "listeners[0].http", "the protocol is tcp"),
        (made(listener={"backlog": 1.5}), "listeners[0].backlog", "expected an integer >= 1, found 1.5"),
        (made(listener={"tls": ListenerTls(certificate="", key="k")}), "listeners[0].tls.certificate", None),  # type: ignore[call-arg]
        (made(cluster={"endpoints": "127.0.0.1:9001"}), "clusters[0].endpoints", None),
        (made(cluster={"endpoints": (Endpoint(address="0.0.0.0:1"),)}), "clusters[0].endpoints[0].address", None),
        (
            made(cluster={"endpoints": (Endpoint(address="127.0.0.1:1", weight=0),)}),
            "clusters[0].endpoints[0].weight",
            None,
        ),
        (made(access_log=AccessLog(path=Path("/tmp/log"))), "access_log.path", None),  # type: ignore[arg-type]
        (made(admin="127.0.0.1:9901"), "admin", 'expected a mapping, found "127.0.0.1:9901"'),
        (made(admin=AccessLog(path="/tmp/log")), "admin.path", "unknown key"),
        (made(clusters=None), "clusters", "expected a list, found nothing"),
        (made(clusters=(object(),)), "clusters[0]", "expected a mapping, found a object"),
    ],
)
def test_a_fault_is_found(config: Config, path: str, message: str | None) -> None:
    (fault,) = faults(config)
    assert fault.path == path
    assert message is None or fault.message == message


def test_every_fault_at_once() -> None:
    config = made(workers=0, listener={"cluster": "api"}, cluster={"connect_timeout_ms": 0}, admin=Admin(address="x"))
    assert {each.path for each in faults(config)} == {
        "admin.address", "clusters[0].connect_timeout_ms", "listeners[0].cluster", "workers",
    }  # fmt: skip


def test_what_contains_itself() -> None:
    endpoints: list[Any] = []
    endpoints.append(endpoints)
    assert f"nested more than {DEPTH_LIMIT} deep" in {
        each.message for each in faults(made(cluster={"endpoints": endpoints}))
    }


def test_defaults_do_not_count() -> None:
    """So that what a file may hold, objects may hold too."""
    tree = read_message(Endpoint(address="127.0.0.1:1", weight=2), FaultList())
    assert isinstance(tree, Mapping)
    assert [(each.key, each.value) for each in tree.entries] == [
        ("address", Scalar("127.0.0.1:1")), ("weight", Scalar(2)),
    ]  # fmt: skip

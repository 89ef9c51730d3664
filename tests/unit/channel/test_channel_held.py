"""What a proxy has from its control plane, and the configuration that it makes with the file's."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mesh_core.channel.messages import Update
from mesh_core.channel.resources import Key, ResourceType, encode_resource
from mesh_core.config import Config, ConfigError, load_builtins
from mesh_core.control.channel.held import Held
from mesh_core.control.channel.last_good import LastGood

FILE = load_builtins(
    {
        "listeners": [{"name": "static", "address": "127.0.0.1:1", "cluster": "app"}],
        "clusters": [{"name": "app", "endpoints": ["127.0.0.1:9"]}],
    }
)
LISTENER = {"name": "out", "address": "127.0.0.1:2", "protocol": "http", "virtual_hosts": []}
ROUTE = {"listener": "out", "virtual_host": {"name": "cart", "hosts": ["cart"], "routes": [{"cluster": "cart"}]}}
Resources = dict[tuple[ResourceType, str], Any]


def update(resources: Resources, removals: dict[ResourceType, tuple[str, ...]] | None = None) -> Update:
    upserts: dict[ResourceType, dict[str, tuple[bytes, msgspec.Raw]]] = {}
    for (kind, name), content in resources.items():
        encoded = encode_resource(content)
        upserts.setdefault(kind, {})[name] = (encoded.hash, encoded.content)
    return Update(version=1, upserts=upserts, removals=removals or {})


WHOLE: Resources = {
    ("cluster", "cart"): {"name": "cart"},
    ("endpoint", "cart"): ["127.0.0.1:7", {"address": "127.0.0.1:8", "weight": 3}],
    ("listener", "out"): LISTENER,
    ("route", "out/cart"): ROUTE,
}


def faults(resources: Resources, before: Held | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        (before or Held({})).after(update(resources)).config(FILE)
    return [f"{fault.path}: {fault.message}" for fault in caught.value.faults]


def test_both_stand_side_by_side() -> None:
    config = Held({}).after(update(WHOLE)).config(FILE)
    assert [each.name for each in config.listeners] == ["static", "out"]
    assert [each.name for each in config.clusters] == ["app", "cart"]
    assert len(config.clusters[1].endpoints) == 2
    hosts = config.listeners[1].virtual_hosts
    assert hosts is not None and [host.name for host in hosts] == ["cart"]


def test_an_update_changes_what_it_names() -> None:
    held = Held({}).after(update(WHOLE))
    after = held.after(update({("endpoint", "cart"): []}, {"route": ("out/cart",), "cluster": ("nothing",)}))
    assert set(after.resources) == {Key("cluster", "cart"), Key("endpoint", "cart"), Key("listener", "out")}
    assert len(held.resources) == 4
    assert after.config(FILE).clusters[1].endpoints == ()
    assert held.hashes["cluster"] == {"cart": encode_resource({"name": "cart"}).hash}


def test_only_endpoints() -> None:
    """The rest of the configuration is the same object, and what is made is what all of it would make."""
    held = Held({}).after(update(WHOLE))
    config = held.config(FILE)
    change = update({("endpoint", "cart"): ["127.0.0.1:77"]})
    after = held.after(change)
    quick = after.with_endpoints(config, change)
    assert quick == after.config(FILE)
    assert quick is not None and quick.listeners is config.listeners
    assert after.with_endpoints(config, update({("cluster", "cart"): {"name": "cart"}})) is None
    assert after.with_endpoints(config, update({}, {"endpoint": ("cart",)})) is None
    with pytest.raises(ConfigError, match=r"cluster cart: endpoints\[0\]"):
        wrong = update({("endpoint", "cart"): ["127.0.0.1:0"]})
        held.after(wrong).with_endpoints(config, wrong)


def test_faults_name_the_resource() -> None:
    assert faults({**WHOLE, ("cluster", "cart"): {"name": "cart", "connect_timeout_ms": 0}}) == [
        "cluster cart: connect_timeout_ms: expected an integer >= 1, found 0"
    ]
    assert faults({("endpoint", "ghost"): []}) == ["endpoint ghost: a cluster ghost does not exist"]
    assert faults({("route", "r"): ROUTE}) == ["route r: a listener out does not exist"]
    (fault,) = faults({**WHOLE, ("listener", "out"): {**LISTENER, "name": "static"}})
    assert fault.startswith("listener out: name:")
    assert faults({("cluster", "a"): []}) == ["cluster a: the content has not the form of its type"]
    assert faults({("route", "a"): {"listener": 3}}) == ["route a: the content has not the form of its type"]
    assert faults({("secret", "a"): {}}) == ["secret a: this version does not know resources of the type"]


def test_every_fault_is_listed() -> None:
    bad = {**WHOLE, ("cluster", "cart"): {"name": "cart", "mood": 1}, ("endpoint", "ghost"): []}
    assert len(faults(bad)) == 2


def test_a_content_that_is_not_what_its_hash_says() -> None:
    encoded = encode_resource({"name": "a"})
    wrong = Update(version=1, upserts={"cluster": {"a": (bytes(16), encoded.content)}})
    with pytest.raises(ConfigError, match="not what its hash says"):
        Held({}).after(wrong)


def test_the_file_keeps_it_all_for_its_owner(tmp_path: Path) -> None:
    last_good = LastGood(str(tmp_path / "state"))
    assert last_good.read() is None
    held = Held({}).after(update(WHOLE))
    last_good.write(held)
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o600
    found = last_good.read()
    assert found is not None and found.resources == held.resources
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


@pytest.mark.parametrize(
    "data", [b"", b"\xc1", b"\x90", msgspec.msgpack.encode({"format": 2, "resources": []}), b"\x91" * 10_000]
)
def test_a_file_that_is_none(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "state").write_bytes(data)
    with pytest.raises(ValueError, match=r"not written by hopmesh"):
        LastGood(str(tmp_path / "state")).read()


def test_a_file_that_was_changed(tmp_path: Path) -> None:
    last_good = LastGood(str(tmp_path / "state"))
    last_good.write(Held({}).after(update(WHOLE)))
    data = (tmp_path / "state").read_bytes()
    (tmp_path / "state").write_bytes(data.replace(b"127.0.0.1:7", b"127.0.0.1:6"))
    with pytest.raises(ValueError, match="hash"):
        last_good.read()


def test_a_disk_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        LastGood(str(tmp_path / "nowhere" / "state")).write(Held({}))


def test_the_file_config_is_what_it_was() -> None:
    assert isinstance(FILE, Config) and Held({}).config(FILE) == FILE

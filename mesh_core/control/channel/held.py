"""The resources that a proxy has from its control plane, and the configuration that they make with the file's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from mesh_core.channel.messages import Update
from mesh_core.channel.resources import Key, ResourceType, content_hash
from mesh_core.config import Cluster, Config, ConfigError, Fault, load_builtins

NAME = "<control plane>"
"""What faults call the configuration."""


class Resource(NamedTuple):
    """A resource as it came: its hash, and its content, encoded and decoded."""

    hash: bytes
    encoded: bytes
    content: Any


class Held:
    """Resources, never changed: an update makes another set.

    What each type's content is: `cluster` a cluster without endpoints; `endpoint` the endpoints of the cluster with
    the resource's name; `listener` a listener; `route` a map of `listener`, the name of one, and `virtual_host`, which
    comes behind those that it has.
    """

    def __init__(self, resources: Mapping[Key, Resource]) -> None:
        self.resources = resources

    @property
    def hashes(self) -> dict[ResourceType, dict[str, bytes]]:
        """What a hello says of it."""
        hashes: dict[ResourceType, dict[str, bytes]] = {}
        for key, each in self.resources.items():
            hashes.setdefault(key.type, {})[key.name] = each.hash
        return hashes

    def after(self, update: Update) -> Held:
        """The set that the update makes of this one. Raises ConfigError."""
        faults = []
        resources = dict(self.resources)
        for kind, names in update.removals.items():
            for name in names:
                resources.pop(Key(kind, name), None)
        for kind, upserts in update.upserts.items():
            for name, (told, raw) in upserts.items():
                try:
                    resources[Key(kind, name)] = resource(kind, told, bytes(raw))
                except ValueError as error:
                    faults.append(Fault(f"{kind} {name}", None, None, str(error)))
        if faults:
            raise ConfigError(NAME, tuple(faults))
        return Held(resources)

    def config(self, file: Config) -> Config:
        """What the file and these make together. Raises ConfigError; faults name the resource that they are in."""
        clusters = list(self._of("cluster"))
        listeners = list(self._of("listener"))
        value = {name: getattr(file, name) for name in Config.__struct_fields__}
        value["clusters"] = [*file.clusters, *(self._cluster(key) for key in clusters)]
        value["listeners"] = [*file.listeners, *(self._listener(key) for key in listeners)]
        before = {"clusters": len(file.clusters), "listeners": len(file.listeners)}
        named = {"clusters": clusters, "listeners": listeners}
        faults = [
            *self._strays("endpoint", {key.name for key in clusters}, "a cluster"),
            *self._strays("route", {key.name for key in listeners}, "a listener"),
        ]
        try:
            config = load_builtins(value, NAME)
        except ConfigError as error:
            faults += [_renamed(fault, before, named) for fault in error.faults]
            raise ConfigError(NAME, tuple(faults), error.omitted) from None
        if faults:
            raise ConfigError(NAME, tuple(faults))
        return config

    def with_endpoints(self, config: Config, update: Update) -> Config | None:
        """`config`, made of the set before, with nothing but the endpoints of the update, which has made this set.

        None when the update changes more than that. Raises ConfigError.
        """
        if update.removals or update.upserts.keys() - {"endpoint"}:
            return None
        places = {cluster.name: index for index, cluster in enumerate(config.clusters)}
        changed = [Key("cluster", name) for name in update.upserts.get("endpoint", ())]
        if any(key not in self.resources for key in changed):
            return None
        try:
            decoded = load_builtins({"clusters": [self._cluster(key) for key in changed]}, NAME)
        except ConfigError as error:
            faults = tuple(_renamed(fault, {}, {"clusters": changed}) for fault in error.faults)
            raise ConfigError(NAME, faults, error.omitted) from None
        clusters: list[Cluster] = list(config.clusters)
        for cluster in decoded.clusters:
            clusters[places[cluster.name]] = cluster
        return msgspec.structs.replace(config, clusters=tuple(clusters))

    def _of(self, kind: ResourceType) -> list[Key]:
        return [key for key in self.resources if key.type == kind]

    def _cluster(self, key: Key) -> dict[str, Any]:
        endpoints = self.resources.get(Key("endpoint", key.name))
        return {**self.resources[key].content, "endpoints": () if endpoints is None else endpoints.content}

    def _listener(self, key: Key) -> dict[str, Any]:
        content = self.resources[key].content
        routes = [
            each.content["virtual_host"]
            for other, each in self.resources.items()
            if other.type == "route" and each.content["listener"] == key.name
        ]
        if not routes:
            return {**content}
        return {**content, "virtual_hosts": [*(content.get("virtual_hosts") or ()), *routes]}

    def _strays(self, kind: ResourceType, known: set[str], wanted: str) -> list[Fault]:
        """Resources that belong to nothing."""
        owners = {
            key: key.name if kind == "endpoint" else str(self.resources[key].content["listener"])
            for key in self._of(kind)
        }
        return [
            Fault(f"{kind} {key.name}", None, None, f"{wanted} {owner} does not exist", "send that first, or with it")
            for key, owner in owners.items()
            if owner not in known
        ]


def resource(kind: ResourceType, told: bytes, encoded: bytes) -> Resource:
    """Raises ValueError, in words."""
    if content_hash(encoded) != told:
        raise ValueError("the content is not what its hash says")
    try:
        content = msgspec.msgpack.decode(encoded)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ValueError(f"no msgpack: {error}") from None
    if kind == "endpoint":
        fits = isinstance(content, list)
    elif kind == "route":
        fits = isinstance(content, dict) and isinstance(content.get("listener"), str) and "virtual_host" in content
    elif kind in ("cluster", "listener"):
        fits = isinstance(content, dict)
    else:
        raise ValueError("this version does not know resources of the type")
    if not fits:
        raise ValueError("the content has not the form of its type")
    return Resource(told, encoded, content)


_PLACE = re.compile(r"^(clusters|listeners)\[(\d+)\]\.?")


def _renamed(fault: Fault, before: Mapping[str, int], named: Mapping[str, list[Key]]) -> Fault:
    """The same with the resource's name for its place in the list."""
    found = _PLACE.match(fault.path)
    if found is None:
        return fault
    index = int(found[2]) - before.get(found[1], 0)
    if index < 0:
        return fault
    key = named[found[1]][index]
    return msgspec.structs.replace(fault, path=f"{key.type} {key.name}: {fault.path[found.end() :]}".rstrip(": "))

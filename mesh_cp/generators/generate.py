"""All that one proxy should have, made of a world, and remembered for as long as the facts behind it stand.

`Generator.generate` is a pure function of a world and a proxy; what it remembers only saves making the same again, and
lets proxies share it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from functools import lru_cache

from msgspec import Struct

from mesh_core.config import AddressError
from mesh_core.config.host_name import is_host_name
from mesh_core.config.host_pattern import parse_host_pattern
from mesh_core.config.schema import Locality
from mesh_cp.generators.context import Context
from mesh_cp.generators.destinations import View, depends_on_place, destination, find
from mesh_cp.generators.inbound import inbound
from mesh_cp.generators.memory import Memory
from mesh_cp.generators.outbound import HTTP_PORT, dial, outbound_listener, patterns_for, virtual_host
from mesh_cp.generators.output import ClusterRef, Output, OutputKey, Piece
from mesh_cp.generators.proxy import Dial, Inbound, Proxy
from mesh_cp.generators.unknown import passthrough
from mesh_cp.model import HOSTS, Fact, Service, ServicePort, World
from mesh_cp.model.world import HostPolicy
from mesh_cp.resources.virtual_service import HttpMatch, TcpMatch

Outputs = Mapping[OutputKey, Output]

OWN_PARTS_MOST = 20_000
"""Parts remembered that are of one proxy only: it asks for them again when it registers something else."""


class Generated(Struct, frozen=True, kw_only=True):
    """What a proxy should have, every fact that this depends on, and how it sees the clusters of each host.

    `renewed`: the outputs that others were replaced by, where nothing else is different from what was before; None:
    anything may be.
    """

    outputs: Outputs
    facts: frozenset[Fact]
    views: Mapping[str, tuple[tuple[ClusterRef, View], ...]]
    renewed: tuple[Output, ...] | None = None


class Generator:
    """Makes what proxies should have in one world after the other."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._memory, self._own = Memory(), Memory(OWN_PARTS_MOST)

    def move(self, world: World, changed: Iterable[Fact]) -> None:
        """Go on with another world, in which the facts `changed` are others."""
        self._memory.forget(changed)
        self._own.forget(changed)
        self.world = world

    def generate(self, proxy: Proxy) -> Generated:
        """All outputs for a proxy in the present world."""
        return _Making(self.world, self._memory, self._own, proxy).make()

    def again(self, proxy: Proxy, before: Generated, changed: Iterable[Fact]) -> Generated:
        """The same, made of what the proxy should have had `before` the facts `changed` were others.

        Endpoints alone, which change most, take no more than the making of those.
        """
        concerned = before.facts.intersection(changed)
        if any(fact.about != "members" for fact in concerned):
            return self.generate(proxy)
        renewed = tuple(
            output
            for _, host in concerned
            for ref, view in before.views.get(host, ())
            for output in _destination(self.world, self._memory, ref, view).outputs
        )
        outputs = {**before.outputs, **{output.key: output for output in renewed}}
        return Generated(outputs=outputs, facts=before.facts, views=before.views, renewed=renewed)


def _destination(world: World, memory: Memory, ref: ClusterRef, view: View) -> Piece:
    key = ("destination", ref, view.found.rule.keys, view.found.service is None, view.place, view.speaks_http)
    return memory.get(key, lambda: destination(world, ref, view), view.found.facts)


@lru_cache(maxsize=100_000)
def _normal(pattern: str) -> str | None:
    """A host pattern in the form in which two that are one are the same text; None for one that is none."""
    try:
        return str(parse_host_pattern(pattern))
    except AddressError:
        return None


def _goes_by_labels(policy: HostPolicy) -> bool:
    """Whether it matters for what is said of a host which labels a client has."""
    if any(rule.selector for rule in policy.rules):
        return True
    matches: list[HttpMatch | TcpMatch] = []
    for virtual in policy.virtuals:
        for http in virtual.spec.http:
            matches.extend(http.match)
        for tcp in virtual.spec.tcp:
            matches.extend(tcp.match)
    return any(match.source_labels for match in matches)


class _Making:
    """One proxy's outputs, while they are being made."""

    def __init__(self, world: World, memory: Memory, own: Memory, proxy: Proxy) -> None:
        self._world = world
        self._memory, self._own = memory, own
        self._proxy = proxy
        self._outputs: dict[OutputKey, Output] = {}
        self._facts: set[Fact] = set()
        self._needs: dict[ClusterRef, bool] = {}
        self._patterns: set[str] = set()
        self._views: dict[str, list[tuple[ClusterRef, View]]] = {}

    def make(self) -> Generated:
        for port in self._proxy.inbound:
            self._take(self._inbound(port))
        if self._proxy.outbound is not None:
            self._take(outbound_listener(self._proxy.outbound))
        dialled = list(self._dialled())
        if self._proxy.outbound is not None:
            self._hosts(dialled)
        for service, wanted in dialled:
            if wanted.listen is not None:
                self._listen(service, wanted)
        for ref in sorted(self._needs):
            self._destination(ref)
        views = {host: tuple(those) for host, those in self._views.items()}
        return Generated(outputs=self._outputs, facts=frozenset(self._facts), views=views)

    def _inbound(self, port: Inbound) -> Piece:
        client = self._proxy.client
        key = ("inbound", port, client.namespace)
        return self._own.get(key, lambda: inbound(self._world, client, port))

    # --- which hosts ---

    def _dialled(self) -> Iterator[tuple[Service, Dial]]:
        """Each dial with its service; those that nobody knows are dealt with."""
        namespace = self._proxy.client.namespace
        for wanted in self._proxy.dials:
            if wanted.host == "*":
                self._facts.add(HOSTS)
                every = {*self._world.services, *self._world.policies}
                for host in sorted(every):
                    service = self._visible(host)
                    if service is not None:
                        yield service, Dial(host=host, port=wanted.port)
                continue
            context = Context(self._world, self._proxy.client)
            host = context.resolve(wanted.host, namespace)
            self._facts |= context.facts
            service = self._visible(host)
            if service is not None:
                yield service, wanted
            else:
                self._unknown(wanted)

    def _visible(self, host: str) -> Service | None:
        context = Context(self._world, self._proxy.client)
        service = context.service(host)
        self._facts |= context.facts
        return service

    def _unknown(self, wanted: Dial) -> None:
        """A name without a dot is of the mesh, and not there yet; another may be anybody's."""
        host = wanted.host.lower().removesuffix(".")
        is_name = "." in host and is_host_name(host) and not host.endswith((".svc", ".svc.cluster.local"))
        if self._proxy.unknown == "refuse" or not is_name:
            return
        port = wanted.port or HTTP_PORT
        if wanted.listen is not None or (self._proxy.outbound is not None and self._free(f"{host}:{port}")):
            self._add(passthrough(host, port, wanted.listen))

    # --- requests by their host ---

    def _hosts(self, dialled: list[tuple[Service, Dial]]) -> None:
        """A virtual host for each port that may speak HTTP. Whole names go before short ones of others."""
        namespace = self._proxy.client.namespace
        ports = {
            (service.host, port.number): (service, port)
            for service, wanted in dialled
            for port in service.ports
            if port.protocol != "tcp" and wanted.port in (None, port.number)
        }
        whole = {f"{host}:{number}" for host, number in ports}
        for service, port in ports.values():
            patterns = tuple(
                pattern
                for pattern in patterns_for(service, port, namespace)
                if (pattern == f"{service.host}:{port.number}" or pattern not in whole) and self._free(pattern)
            )
            if patterns:
                self._take(self._virtual_host(service, port, patterns))

    def _free(self, pattern: str) -> bool:
        """Whether no virtual host has the pattern yet; from now on one has."""
        text = _normal(pattern)
        if text is None or text in self._patterns:
            return False
        self._patterns.add(text)
        return True

    def _virtual_host(self, service: Service, port: ServicePort, patterns: tuple[str, ...]) -> Piece:
        client = self._proxy.client
        key = ("virtual host", service.host, port.number, client.namespace, self._labels(service.host), patterns)
        return self._memory.get(key, lambda: virtual_host(self._world, client, service, port, patterns))

    def _listen(self, service: Service, wanted: Dial) -> None:
        client, address = self._proxy.client, wanted.listen
        port = service.port(wanted.port) if wanted.port is not None else next(iter(service.ports), None)
        if port is None or address is None:
            return
        key = ("dial", service.host, port.number, client.namespace, self._labels(service.host), address)
        self._take(self._memory.get(key, lambda: dial(self._world, client, service, port, address)))

    def _labels(self, host: str) -> Hashable:
        """The client's labels, where what is said of a host goes by them."""
        if _goes_by_labels(self._world.policy(host)):
            return tuple(sorted(self._proxy.client.labels.items()))
        return None

    # --- clusters ---

    def _destination(self, ref: ClusterRef) -> None:
        client = self._proxy.client
        key = ("find", ref.host, client.namespace, self._labels(ref.host))
        found = self._memory.get(key, lambda: find(self._world, client, ref.host))
        self._facts |= found.facts
        place = self._proxy.locality if depends_on_place(found.rule, ref) else Locality()
        view = View(found, place, self._needs[ref])
        self._views.setdefault(ref.host, []).append((ref, view))
        self._take(_destination(self._world, self._memory, ref, view))

    # --- putting together ---

    def _take(self, piece: Piece) -> None:
        self._add(piece.outputs)
        self._facts |= piece.facts
        for ref in piece.needs:
            self._needs[ref] = piece.speaks_http or self._needs.get(ref, False)

    def _add(self, outputs: Iterable[Output]) -> None:
        for output in outputs:
            self._outputs.setdefault(output.key, output)

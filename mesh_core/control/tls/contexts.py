"""The TLS contexts of one configuration. Control thread.

A context is known by its content: every setting, and what stands in its files. As long as that is the same it is the
same context, so that a reload costs neither tickets nor sessions; new content is a new context, for new connections.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, TypeVar

import msgspec
import structlog
from OpenSSL import SSL

from mesh_core.config import Cluster, ClusterTls, Config, ConfigError, Fault, ListenerTls, PeerNames
from mesh_core.config.check_tls import SYSTEM_CA
from mesh_core.config.faults import PathStep
from mesh_core.config.host_name import shared_host_name
from mesh_core.config.schema.filter_chain import chain_name
from mesh_core.config.wording import path_text
from mesh_core.control.tls import files
from mesh_core.control.tls.files import Certificates, FileContent, FileFault, KeyFile, Signature
from mesh_core.control.tls.ssl_context import client_context, openssl_reason, server_context
from mesh_core.tls.context import TlsContext

log = structlog.get_logger("hopmesh.tls")

Key = tuple[ListenerTls | ClusterTls, str | None]
"""Settings with digests in place of paths, and the server name."""

_T = TypeVar("_T")


class TlsUser(NamedTuple):
    """A listener or a cluster that speaks TLS, and what it does so with."""

    kind: Literal["listener", "cluster"]
    name: str
    key: Key
    context: TlsContext
    trusted_ca: Certificates | None
    chains: tuple[Certificates, ...]
    warnings: tuple[str, ...]


class Prepared(NamedTuple):
    """The contexts of one configuration, and the files that they were made from."""

    users: tuple[TlsUser, ...]
    signatures: dict[str, Signature]

    @property
    def listeners(self) -> dict[str, TlsContext]:
        """Of each listener that speaks TLS, by name; of each filter chain that does, by its chain_name."""
        return {each.name: each.context for each in self.users if each.kind == "listener"}

    @property
    def clusters(self) -> dict[str, TlsContext]:
        """Of each cluster that speaks TLS, by name."""
        return {each.name: each.context for each in self.users if each.kind == "cluster"}


class TlsContexts:
    """The contexts that are in use, and how often they were changed."""

    def __init__(self) -> None:
        self.current = Prepared((), {})
        self.updates = 0
        self.failures = 0

    def prepare(self, config: Config, name: str) -> Prepared:
        """Contexts for `config`, which faults call `name`; those in use go on where nothing has changed.

        Raises ConfigError, with everything that is wrong with the files.
        """
        preparation = _Preparation({each.key: each.context for each in self.current.users})
        users = []
        for i, listener in enumerate(config.listeners):
            users.append(preparation.listener(["listeners", i, "tls"], listener.name, listener.tls))
            for j, chain in enumerate(listener.filter_chains):
                path: list[PathStep] = ["listeners", i, "filter_chains", j, "tls"]
                users.append(preparation.listener(path, chain_name(listener.name, j), chain.tls))
        users += [preparation.cluster(i, each) for i, each in enumerate(config.clusters)]
        if preparation.faults:
            self.failures += 1
            raise ConfigError(name, tuple(preparation.faults))
        return Prepared(tuple(each for each in users if each is not None), preparation.signatures)

    def keep(self, prepared: Prepared) -> None:
        """Take over what `prepare` gave."""
        known = {each.key for each in self.current.users}
        fresh = [each for each in prepared.users if each.key not in known]
        for each in fresh:
            for warning in each.warnings:
                log.warning(warning, **{each.kind: each.name})
        self.updates += bool(fresh)
        self.current = prepared


class _Preparation:
    """One go at the files of a configuration: each is read once, and every fault is taken."""

    def __init__(self, existing: dict[Key, TlsContext]) -> None:
        self.faults: list[Fault] = []
        self.signatures: dict[str, Signature] = {}
        self._contexts = existing
        self._contents: dict[str, FileContent] = {}
        self._parsed: dict[tuple[object, str], object] = {}

    def listener(self, path: list[PathStep], name: str, tls: ListenerTls | None) -> TlsUser | None:
        """What a listener or a filter chain speaks TLS with; None when it does not, or cannot."""
        if tls is None:
            return None
        faults = len(self.faults)
        trusted = self._bundle([*path, "trusted_ca"], tls.trusted_ca)
        pairs = [self._pair(path, tls.certificate, tls.key)]
        pairs += [
            self._pair([*path, "certificates", i], each.certificate, each.key)
            for i, each in enumerate(tls.certificates)
        ]
        if len(self.faults) != faults:
            return None
        good = [each for each in pairs if each is not None]
        content = msgspec.structs.replace(
            tls,
            certificate=good[0][0].digest,
            key=good[0][1].digest,
            trusted_ca=trusted and trusted.digest,
            certificates=tuple(
                msgspec.structs.replace(each, certificate=chain.digest, key=key.digest)
                for each, (chain, key) in zip(tls.certificates, good[1:], strict=True)
            ),
        )
        context = self._context(path, (content, None), lambda: _of_listener(tls, good, trusted))
        if context is None:
            return None
        chains = tuple(chain for chain, _ in good)
        return TlsUser("listener", name, (content, None), context, trusted, chains, _warnings(good))

    def cluster(self, index: int, cluster: Cluster) -> TlsUser | None:
        """What a cluster speaks TLS with; None when it does not, or cannot."""
        tls = cluster.tls
        if tls is None:
            return None
        path: list[PathStep] = ["clusters", index, "tls"]
        faults = len(self.faults)
        trusted = self._bundle([*path, "trusted_ca"], tls.trusted_ca)
        pair = self._pair(path, tls.certificate, tls.key) if tls.certificate and tls.key else None
        if len(self.faults) != faults:
            return None
        server_name = tls.server_name or shared_host_name(cluster)
        content = msgspec.structs.replace(
            tls,
            certificate=pair and pair[0].digest,
            key=pair and pair[1].digest,
            trusted_ca=trusted and trusted.digest,
        )
        key = (content, server_name)
        context = self._context(path, key, lambda: _of_cluster(tls, pair, trusted, server_name))
        if context is None:
            return None
        # Whoever manages the operating system looks after its CAs.
        managed = None if tls.trusted_ca == SYSTEM_CA else trusted
        warnings = _warnings([pair] if pair else [])
        if tls.insecure_skip_verify:
            warnings += ("endpoints are not verified: insecure_skip_verify",)
        return TlsUser("cluster", cluster.name, key, context, managed, (pair[0],) if pair else (), warnings)

    def _context(self, path: list[PathStep], key: Key, make: Callable[[], TlsContext]) -> TlsContext | None:
        context = self._contexts.get(key)
        if context is None:
            try:
                context = self._contexts[key] = make()
            except SSL.Error as error:
                self._fault(path, f"OpenSSL refuses it: {openssl_reason(error)}")
        return context

    def _pair(self, path: list[PathStep], certificate: str, key: str) -> tuple[Certificates, KeyFile] | None:
        chain = self._read([*path, "certificate"], certificate, files.parse_chain)
        private = self._read([*path, "key"], key, files.parse_key)
        if chain is None or private is None:
            return None
        try:
            files.check_pair(chain, private)
        except FileFault as fault:
            self._fault([*path, "key"], fault.message, fault.hint)
            return None
        return chain, private

    def _bundle(self, path: list[PathStep], trusted_ca: str | None) -> Certificates | None:
        if trusted_ca is None:
            return None
        if trusted_ca != SYSTEM_CA or path[0] == "listeners":
            return self._read(path, trusted_ca, _parse_own_bundle)
        try:
            return self._read(path, files.system_bundle(), _parse_system_bundle)
        except FileFault as fault:
            self._fault(path, fault.message, fault.hint)
            return None

    def _read(self, path: list[PathStep], file: str, parse: Callable[[str, FileContent], _T]) -> _T | None:
        try:
            if file not in self._contents:
                self._contents[file] = files.read(file)
                self.signatures[file] = self._contents[file].signature
            if (parse, file) not in self._parsed:
                self._parsed[parse, file] = parse(file, self._contents[file])
        except FileFault as fault:
            self._fault(path, fault.message, fault.hint)
            return None
        parsed: _T = self._parsed[parse, file]  # type: ignore[assignment]
        return parsed

    def _fault(self, path: Sequence[PathStep], message: str, hint: str | None = None) -> None:
        self.faults.append(Fault(path_text(path), None, None, message, hint))


def _parse_own_bundle(path: str, content: FileContent) -> Certificates:
    return files.parse_bundle(path, content, own=True)


def _parse_system_bundle(path: str, content: FileContent) -> Certificates:
    return files.parse_bundle(path, content, own=False)


def _of_listener(
    tls: ListenerTls, pairs: Sequence[tuple[Certificates, KeyFile]], trusted: Certificates | None
) -> TlsContext:
    peer = tls.peer or PeerNames()
    contexts = [server_context(tls, chain, key, trusted) for chain, key in pairs]
    names = [each.server_names for each in tls.certificates]
    return TlsContext(
        contexts[0],
        server=True,
        alternatives=tuple(zip(names, contexts[1:], strict=True)),
        alpn=tls.alpn,
        verify_peer=trusted is not None,
        require_peer_certificate=trusted is not None and tls.require_client_certificate is not False,
        trust_domains=peer.trust_domains,
        uris=peer.uris,
        dns_names=tuple(each.lower() for each in peer.dns_names),
        resume=tls.session_tickets,
        handshake_timeout_ms=tls.handshake_timeout_ms,
    )


def _of_cluster(
    tls: ClusterTls,
    pair: tuple[Certificates, KeyFile] | None,
    trusted: Certificates | None,
    server_name: str | None,
) -> TlsContext:
    expected = (server_name,) if server_name is not None and trusted is not None else ()
    peer = tls.peer or PeerNames(dns_names=expected)
    chain, key = pair or (None, None)
    return TlsContext(
        client_context(tls, chain, key, trusted),
        server=False,
        alpn=tls.alpn,
        verify_peer=trusted is not None,
        require_peer_certificate=trusted is not None,
        trust_domains=peer.trust_domains,
        uris=peer.uris,
        dns_names=tuple(each.lower() for each in peer.dns_names),
        server_name=server_name,
        resume=tls.session_resumption,
    )


def _warnings(pairs: Sequence[tuple[Certificates, KeyFile]]) -> tuple[str, ...]:
    return tuple(f"others can read the key in {files.shown(key.path)}" for _, key in pairs if key.readable_by_others)

"""From a checked configuration to the C tables of a snapshot. Control thread, with the GIL.

Text, defaults and cross-references were judged by mesh_core.config; what can still fail here is memory.
"""

from hashlib import blake2b
from itertools import chain
from weakref import WeakValueDictionary

from libc.stdint cimport uint16_t, uint32_t, uint64_t, uintptr_t
from libc.string cimport memcpy
from mesh_core.control.balancing cimport compile_balancing, needed_subsets, subset_index
from mesh_core.control.capture_plan_compiler cimport compile_capture_plan
from mesh_core.control.circuit_breaker_compiler cimport compile_circuit_breakers
from mesh_core.control.filter_chain_compiler cimport compile_filter_chains
from mesh_core.control.http_compiler cimport compile_cluster_http, compile_http_settings
from mesh_core.control.policy_compiler cimport PolicyCompiler
from mesh_core.control.retry_compiler cimport compile_cluster_retry
from mesh_core.control.route_compiler cimport compile_routes
from mesh_core.includes.socket cimport sockaddr_storage, socklen_t
from mesh_core.net.address cimport address_from_ip, address_from_path, peer_address_from
from mesh_core.runtime.core cimport SCRATCH_BYTES
from mesh_core.snapshot.http_settings cimport HttpC
from mesh_core.snapshot.idle_clients cimport IdleClients
from mesh_core.snapshot.overload_state cimport OverloadState
from mesh_core.snapshot.shared_count cimport SharedCount
from mesh_core.snapshot.snapshot cimport Snapshot
from mesh_core.snapshot.tables cimport ClusterC, EndpointC, FilterChainC, IdleClientsC, ListenerC, NameC
from mesh_core.telemetry.request_metrics cimport TRAIT_INBOUND
from mesh_core.telemetry.stats cimport StatsScope
from mesh_core.tls.context cimport TlsContext, TlsSessions
from mesh_core.upstream.endpoint_state cimport ENDPOINT_REMOVED, UNHEALTHY_ACTIVE, ClusterState, EndpointState
from mesh_core.upstream.outlier_detection cimport OutlierPolicy

import msgspec

from mesh_core.config.destinations import cluster_references
from mesh_core.config.schema import HttpSettings
from mesh_core.config.schema.filter_chain import chain_name
from mesh_core.control.access_log_lines import recorded
from mesh_core.control.descriptor_limit import descriptor_limit

cdef class Compiler:
    """Makes the snapshots of one proxy, and keeps what outlives them: connection counts and statistics."""

    cdef object registry
    cdef uint32_t workers
    cdef uint64_t version
    cdef SharedCount process_active
    cdef object listener_active
    cdef object cluster_states
    cdef object endpoint_states
    cdef object idle_clients
    cdef PolicyCompiler policies
    cdef readonly OverloadState overload

    def __init__(self, uint32_t workers, registry):
        """`registry`: the StatsRegistry whose scopes the tables point to."""
        self.workers = workers
        self.registry = registry
        self.process_active = SharedCount()
        self.listener_active = WeakValueDictionary()
        self.cluster_states = WeakValueDictionary()
        self.endpoint_states = WeakValueDictionary()
        self.idle_clients = WeakValueDictionary()
        self.policies = PolicyCompiler(registry)
        self.overload = OverloadState()

    @property
    def active_connections(self):
        """Downstream connections open now, in all workers (int)."""
        return int(self.process_active)

    def cluster_state(self, cluster):
        """The ClusterState of a cluster, by name; None when no snapshot has that cluster."""
        return self.cluster_states.get(cluster)

    def endpoint_state(self, cluster, endpoint):
        """The EndpointState of an endpoint, by the names of both; None when no snapshot has that endpoint."""
        return self.endpoint_states.get((cluster, endpoint))

    def compile(self, config, sockets, endpoints, listener_tls=None, cluster_tls=None, *, shared_sockets=()):
        """A new Snapshot of `config`. `sockets`: for each listener to serve, by name, its ListenerSocket.

        A listener that is not among `sockets` is left out: that is how a proxy drains. `endpoints`: for each cluster,
        by name, its ResolvedEndpoints; a cluster that is not there has none. `listener_tls`, `cluster_tls`:
        TlsContexts, by name (of a filter chain: chain_name); what is not there speaks in the clear. `shared_sockets`:
        ids of sockets that are left out and must not be shut down, because another process goes on with them. Raises
        MemoryError.
        """
        cdef Snapshot snapshot
        cdef dict clusters = {}
        self.version += 1
        snapshot = Snapshot(self.version, self.workers)
        snapshot.keep.append(self.process_active)
        snapshot.keep.append(self.overload)
        snapshot.table.active = &self.process_active.value
        snapshot.table.overload = &self.overload.actions
        snapshot.table.max_connections = config.max_connections or 0
        snapshot.table.descriptor_limit = descriptor_limit()
        records = recorded(config)
        snapshot.table.access_log = records is not None
        if records is not None:
            snapshot.table.capture_plan = compile_capture_plan(snapshot, records)
        self.compile_shared_sockets(snapshot, shared_sockets)
        self.compile_clusters(snapshot, config, endpoints, cluster_tls or {}, clusters)
        listeners = [each for each in config.listeners if each.name in sockets]
        self.compile_listeners(snapshot, listeners, sockets, listener_tls or {}, clusters)
        return snapshot

    cdef compile_shared_sockets(self, Snapshot snapshot, ids):
        cdef uint64_t* table = <uint64_t*>snapshot.allocate(len(ids) * sizeof(uint64_t))
        snapshot.table.shared_sockets = table
        snapshot.table.shared_socket_count = <uint32_t>len(ids)
        for index, each in enumerate(ids):
            table[index] = each

    cdef compile_clusters(self, Snapshot snapshot, config, endpoints, tls, dict compiled):
        """Fill in `compiled`: of each name the cluster, its index and its subsets."""
        cdef ClusterC* table = <ClusterC*>snapshot.allocate(len(config.clusters) * sizeof(ClusterC))
        snapshot.table.clusters = table
        snapshot.table.cluster_count = <uint32_t>len(config.clusters)
        references = {}
        for listener in config.listeners:
            for _, each in cluster_references(listener):
                references.setdefault(each.cluster, []).append(each)
        for index, cluster in enumerate(config.clusters):
            found = endpoints.get(cluster.name, ())
            subsets = needed_subsets(cluster, found, references.get(cluster.name, ()))
            compiled[cluster.name] = (cluster, index, subsets)
            self.compile_cluster(snapshot, &table[index], cluster, found, subsets, tls.get(cluster.name))

    cdef compile_cluster(self, Snapshot snapshot, ClusterC* out, cluster, endpoints, dict subsets, TlsContext tls):
        cdef ClusterState state = self.cluster_states.setdefault(cluster.name, ClusterState())
        snapshot.keep.append(state)
        out.state = &state.state
        out.name = self.name(snapshot, cluster.name)
        out.stats = self.stats(snapshot, "cluster", (cluster.name,))
        out.metric_id = self.registry.cluster_id(cluster.name)
        out.time_stats = self.stats(snapshot, "upstream_rq_time", (cluster.name,))
        out.connect_timeout_ms = cluster.connect_timeout_ms
        compile_cluster_http(&out.http, cluster.http)
        self.compile_resilience(snapshot, out, cluster, <uint32_t>len(endpoints))
        out.send_proxy_protocol = {None: 0, "v1": 1, "v2": 2}[cluster.send_proxy_protocol]
        if tls is not None:
            snapshot.keep.append(tls)
            out.tls = &tls.table
        out.endpoint_count = <uint32_t>len(endpoints)
        out.endpoints = <EndpointC*>snapshot.allocate(out.endpoint_count * sizeof(EndpointC))
        for index, endpoint in enumerate(endpoints):
            self.compile_endpoint(snapshot, &out.endpoints[index], state, cluster.name, endpoint)
            if tls is not None:
                self.compile_sessions(snapshot, &out.endpoints[index], tls, endpoint)
        # Each snapshot starts its turns elsewhere, or frequent changes would favour the first endpoints.
        compile_balancing(snapshot, out, cluster, endpoints, subsets, self.version - 1)

    cdef compile_resilience(self, Snapshot snapshot, ClusterC* out, cluster, uint32_t endpoint_count):
        cdef OutlierPolicy outlier
        compile_cluster_retry(&out.retry, cluster.retry)
        out.health_checked = bool(cluster.health_checks)
        if cluster.circuit_breakers is not None:
            compile_circuit_breakers(out, cluster.circuit_breakers)
        if cluster.adaptive_concurrency is not None:
            out.concurrency_stats = self.stats(snapshot, "adaptive_concurrency", (cluster.name,))
        if cluster.outlier_detection is not None:
            outlier = OutlierPolicy(cluster.outlier_detection, endpoint_count)
            out.outlier = outlier.policy
            out.outlier_stats = self.stats(snapshot, "outlier_detection", (cluster.name,))
        out.close_on = (
            (ENDPOINT_REMOVED if cluster.on_endpoint_removal == "close" else 0)
            | (UNHEALTHY_ACTIVE if cluster.close_connections_on_host_health_failure else 0)
        )

    cdef compile_endpoint(self, Snapshot snapshot, EndpointC* out, ClusterState cluster_state, str cluster, endpoint):
        cdef EndpointState state = self.endpoint_states.get((cluster, endpoint.name))
        if state is None:
            state = self.endpoint_states[cluster, endpoint.name] = EndpointState(cluster_state)
        snapshot.keep.append(state)
        out.state = &state.state
        out.name = self.name(snapshot, endpoint.name)
        out.idle_clients = self.idle_clients_of(snapshot, (cluster, endpoint.name))
        out.stats = self.stats(snapshot, "endpoint", (cluster, endpoint.name))
        out.address_size = socket_address(&out.address, endpoint.address)
        out.weight = endpoint.settings.weight

    cdef IdleClientsC* idle_clients_of(self, Snapshot snapshot, tuple key) except NULL:
        cdef IdleClients clients = self.idle_clients.get(key)
        if clients is None:
            clients = self.idle_clients[key] = IdleClients(self.workers)
        snapshot.keep.append(clients)
        return clients.by_worker

    cdef compile_sessions(self, Snapshot snapshot, EndpointC* out, TlsContext tls, endpoint):
        cdef TlsSessions sessions = tls.sessions_with(endpoint.name, self.workers)
        snapshot.keep.append(sessions)
        out.tls_sessions = sessions.by_worker

    cdef compile_listeners(self, Snapshot snapshot, listeners, sockets, tls, dict clusters):
        cdef ListenerC* table = <ListenerC*>snapshot.allocate(len(listeners) * sizeof(ListenerC))
        snapshot.table.listeners = table
        snapshot.table.listener_count = <uint32_t>len(listeners)
        for index, listener in enumerate(listeners):
            self.compile_destinations(snapshot, &table[index], listener, tls, clusters)
            self.compile_listener(snapshot, &table[index], listener, sockets[listener.name])

    cdef compile_destinations(self, Snapshot snapshot, ListenerC* out, listener, tls, dict clusters):
        cdef FilterChainC* chains
        if any([each is not None for each in (listener.cluster, listener.routes, listener.virtual_hosts)]):
            out.fallback = <FilterChainC*>snapshot.allocate(sizeof(FilterChainC))
            self.compile_destination(snapshot, out.fallback, listener, tls.get(listener.name), clusters)
        if not listener.filter_chains:
            return
        chains = <FilterChainC*>snapshot.allocate(len(listener.filter_chains) * sizeof(FilterChainC))
        for index, chain in enumerate(listener.filter_chains):
            context = tls.get(chain_name(listener.name, index))
            self.compile_destination(snapshot, &chains[index], chain, context, clusters)
        out.chains = chains
        out.chain_count = <uint32_t>len(listener.filter_chains)
        out.chain_table = compile_filter_chains(snapshot, [chain.match for chain in listener.filter_chains])
        out.inspection_timeout_ms = listener.inspection_timeout_ms

    cdef compile_destination(self, Snapshot snapshot, FilterChainC* out, destination, TlsContext tls, dict clusters):
        if destination.cluster is not None:
            cluster, index, subsets = clusters[destination.cluster]
            out.cluster = &snapshot.table.clusters[<uint32_t>index]
            out.subset = subset_index(cluster, subsets, destination.subset)
        if tls is not None:
            snapshot.keep.append(tls)
            out.tls = &tls.table
        if destination.protocol == "http":
            out.http = self.compile_http(snapshot, destination, clusters)
        out.id = destination_id(destination, <uintptr_t>out.tls)

    cdef HttpC* compile_http(self, Snapshot snapshot, destination, dict clusters) except NULL:
        cdef HttpC* http = <HttpC*>snapshot.allocate(sizeof(HttpC))
        compile_http_settings(snapshot, &http.settings, destination.http or HttpSettings())
        http.routes = compile_routes(snapshot, destination, clusters, self.policies)
        return http

    cdef compile_listener(self, Snapshot snapshot, ListenerC* out, listener, listener_socket):
        cdef sockaddr_storage bound
        cdef SharedCount active = self.listener_active.setdefault(listener.name, SharedCount())
        by_worker = listener_socket.descriptors
        cdef uint32_t sockets_each = <uint32_t>len(by_worker[0])
        cdef int* descriptors = <int*>snapshot.allocate(self.workers * sockets_each * sizeof(int))
        for index, descriptor in enumerate(chain.from_iterable(by_worker)):
            descriptors[index] = descriptor
        socket_address(&bound, listener_socket.bound)
        peer_address_from(&out.local, &bound)
        snapshot.keep.append(active)
        snapshot.keep.append(listener_socket)
        out.name = self.name(snapshot, listener.name)
        out.socket_id = listener_socket.id
        out.descriptors = descriptors
        out.sockets_each = sockets_each
        out.active = &active.value
        out.max_connections = listener.max_connections or 0
        out.idle_timeout_ms = listener.idle_timeout_ms
        out.max_duration_ms = listener.max_connection_duration_ms or 0
        out.proxy_timeout_ms = listener.proxy_protocol_timeout_ms
        # The schema bounds it too; what receives into the scratch buffer must not rest on that alone.
        out.buffer_limit = min(<uint32_t>listener.buffer_limit_bytes, <uint32_t>SCRATCH_BYTES)
        out.accept_proxy_protocol = listener.accept_proxy_protocol
        out.metric_traits = TRAIT_INBOUND if listener.traffic_direction == "inbound" else 0
        out.stats = self.stats(snapshot, "listener", (listener.name,))

    cdef NameC name(self, Snapshot snapshot, str text) except *:
        cdef NameC name
        cdef bytes encoded = text.encode()
        cdef char* copy = <char*>snapshot.allocate(len(encoded))
        memcpy(copy, <const char*>encoded, len(encoded))
        name.text = copy
        name.size = <uint16_t>min(len(encoded), 0xFFFF)
        return name

    cdef uint64_t** stats(self, Snapshot snapshot, str kind, tuple labels) except NULL:
        cdef StatsScope scope = self.registry.scope(kind, *labels)
        snapshot.keep.append(scope)
        return scope.blocks


cdef uint64_t destination_id(destination, uintptr_t tls) except? 0:
    """FilterChainC.id of a Listener or FilterChain whose TlsContextC is at the address `tls` (0: none).

    While a connection holds a snapshot with that context, no other context comes to the same address.
    """
    match = getattr(destination, "match", None)
    text = msgspec.json.encode((match, destination.protocol, tls))
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "little")


cdef socklen_t socket_address(sockaddr_storage* out, address) except 0:
    """Fill in `out` from a mesh_core.config.Address; its size. Raises ValueError for what config would refuse."""
    cdef bytes text
    cdef socklen_t size
    if address.path:
        text = address.sockaddr()
        size = address_from_path(out, text, len(text))
    else:
        text = address.host.encode()
        size = address_from_ip(out, text, address.port)
    if size == 0:
        raise ValueError(f"not a socket address: {address}")
    return size

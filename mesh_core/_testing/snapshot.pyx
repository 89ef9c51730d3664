"""Snapshots, balancers and shared counts, from Python."""

from libc.stdint cimport uint32_t, uint64_t
from mesh_core._testing.convert cimport peer_bytes
from mesh_core.http1.limits cimport Http1LimitsC
from mesh_core.includes.atomic cimport fetch_add_u64, fetch_sub_u64
cimport mesh_core.snapshot.shared_count as shared_count_module
from mesh_core.snapshot.http_settings cimport (
    FORWARDED_APPEND, FORWARDED_KEEP, FORWARDED_OVERWRITE, ClusterHttpC, HttpSettingsC,
)
from mesh_core.snapshot.shared_count cimport SharedCount
from mesh_core.snapshot.snapshot cimport Snapshot, snapshot_hold, snapshot_release
from mesh_core.snapshot.tables cimport SUBSET_NONE, ClusterC, EndpointC, FilterChainC, ListenerC, NameC

FORWARDED = {FORWARDED_APPEND: "append", FORWARDED_OVERWRITE: "overwrite", FORWARDED_KEEP: "keep"}


cdef str name_text(const NameC* name):
    return name.text[:name.size].decode()


cdef dict endpoint_fields(const EndpointC* endpoint):
    return {
        "name": name_text(&endpoint.name),
        "address": (<const char*>&endpoint.address)[:endpoint.address_size],
        "stats": <size_t>endpoint.stats[0],
    }


cdef dict cluster_fields(const ClusterC* cluster):
    return {
        "name": name_text(&cluster.name),
        "endpoints": [endpoint_fields(&cluster.endpoints[index]) for index in range(cluster.endpoint_count)],
        "connect_timeout_ms": cluster.connect_timeout_ms,
        "send_proxy_protocol": cluster.send_proxy_protocol,
        "limits": [[limits.max_connections, limits.max_pending, limits.max_requests, limits.max_pending_requests]
                   for limits in cluster.limits],
        "http": cluster_http_fields(&cluster.http),
        "stats": <size_t>cluster.stats[0],
    }


cdef list limits(const Http1LimitsC* limits):
    return [limits.head_bytes, limits.start_line_bytes, limits.field_count, limits.chunk_line_bytes,
            limits.chunk_extension_bytes]


cdef dict cluster_http_fields(const ClusterHttpC* http):
    return {
        "limits": limits(&http.limits),
        "idle_timeout_ms": http.idle_timeout_ms,
        "max_connection_duration_ms": http.max_connection_duration_ms,
        "max_requests_per_connection": http.max_requests_per_connection,
        "max_idle_connections": http.max_idle_connections,
    }


cdef dict http_fields(const HttpSettingsC* settings):
    return {
        "limits": limits(&settings.limits),
        "path": (bool(settings.path.normalize), bool(settings.path.merge_slashes), settings.path.escaped_slashes),
        "idle_timeout_ms": settings.idle_timeout_ms,
        "request_headers_timeout_ms": settings.request_headers_timeout_ms,
        "stream_idle_timeout_ms": settings.stream_idle_timeout_ms,
        "max_requests_per_connection": settings.max_requests_per_connection,
        "default_host": settings.default_host.bytes[:settings.default_host.size],
        "forwarded_headers": FORWARDED[settings.forwarded_headers],
        "generate_request_id": bool(settings.generate_request_id),
        "preserve_external_request_id": bool(settings.preserve_external_request_id),
        "accept_http_10": bool(settings.accept_http_10),
        "allow_absolute_url": bool(settings.allow_absolute_url),
    }


cdef dict chain_fields(const FilterChainC* chain):
    if chain == NULL:
        return None
    return {"id": chain.id, "http": None if chain.http == NULL else http_fields(&chain.http.settings)}


cdef dict listener_fields(const ListenerC* listener, uint32_t workers):
    return {
        "name": name_text(&listener.name),
        "socket_id": listener.socket_id,
        "descriptors": [
            [listener.descriptors[index * listener.sockets_each + each] for each in range(listener.sockets_each)]
            for index in range(workers)
        ],
        "local": peer_bytes(&listener.local),
        "cluster": name_text(&listener.fallback.cluster.name),
        "subset": None if listener.fallback.subset == SUBSET_NONE else listener.fallback.subset,
        "max_connections": listener.max_connections,
        "active": <size_t>listener.active,
        "idle_timeout_ms": listener.idle_timeout_ms,
        "max_duration_ms": listener.max_duration_ms,
        "proxy_timeout_ms": listener.proxy_timeout_ms,
        "buffer_limit": listener.buffer_limit,
        "accept_proxy_protocol": bool(listener.accept_proxy_protocol),
        "stats": <size_t>listener.stats[0],
    }


def snapshot_fields(Snapshot snapshot not None):
    """All that the tables say, as Python objects."""
    cdef uint32_t workers = snapshot.table.worker_count
    return {
        "version": snapshot.table.version,
        "workers": workers,
        "max_connections": snapshot.table.max_connections,
        "active": <size_t>snapshot.table.active,
        "access_log": bool(snapshot.table.access_log),
        "listeners": [listener_fields(&snapshot.table.listeners[index], workers)
                      for index in range(snapshot.table.listener_count)],
        "clusters": [cluster_fields(&snapshot.table.clusters[index])
                     for index in range(snapshot.table.cluster_count)],
    }


def destination_fields(Snapshot snapshot not None, uint32_t listener):
    """Of a listener, by its index: what its fallback says, then what each of its chains does."""
    cdef const ListenerC* table = &snapshot.table.listeners[listener]
    return [chain_fields(table.fallback), *[chain_fields(&table.chains[index]) for index in range(table.chain_count)]]


def hold_snapshot(Snapshot snapshot not None, uint32_t worker):
    snapshot_hold(snapshot.table, worker)


def release_snapshot(Snapshot snapshot not None, uint32_t worker):
    return bool(snapshot_release(snapshot.table, worker))


def count_enter(SharedCount count not None, uint64_t limit):
    return bool(shared_count_module.shared_count_enter(&count.value, limit))


def count_leave(SharedCount count not None):
    shared_count_module.shared_count_leave(&count.value)


def count_contend(SharedCount count not None, SharedCount inside not None, uint64_t limit, uint64_t rounds):
    """Enter and leave without the GIL: (times admitted, the most that were inside at once)."""
    cdef uint64_t admitted = 0
    cdef uint64_t most = 0
    cdef uint64_t now, _round
    with nogil:
        for _round in range(rounds):
            if shared_count_module.shared_count_enter(&count.value, limit):
                now = fetch_add_u64(&inside.value, 1) + 1
                most = max(most, now)
                admitted += 1
                fetch_sub_u64(&inside.value, 1)
                shared_count_module.shared_count_leave(&count.value)
    return admitted, most

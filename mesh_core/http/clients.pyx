"""All of a worker's clients at once; the contract stands in clients.pxd."""

from libc.stdint cimport uint32_t
from mesh_core.http.pool cimport client_bring_forward, client_close, client_is_lost, client_point_into
from mesh_core.http.stream cimport HttpClientC
from mesh_core.snapshot.tables cimport ClusterC, EndpointC, IdleClientsC
from mesh_core.telemetry.stats cimport CLUSTER_CX_ENDPOINT_CLOSED


cdef void clients_adopt(HttpWorkerC* worker, SnapshotC* next) noexcept nogil:
    cdef HttpClientC* client
    cdef HttpClientC* following = worker.clients
    cdef ClusterC* cluster
    cdef EndpointC* endpoint
    cdef IdleClientsC* pool
    cdef uint32_t index, each
    if following == NULL:
        return
    for index in range(next.cluster_count):
        cluster = &next.clusters[index]
        for each in range(cluster.endpoint_count):
            endpoint = &cluster.endpoints[each]
            pool = &endpoint.idle_clients[worker.core.index]
            pool.version = next.version
            pool.endpoint = endpoint
            pool.cluster = cluster
    while following != NULL:
        client = following
        following = client.next
        if client.stream != NULL:
            continue
        if client_point_into(client, client.pool, next):
            # Its time-out may be shorter now than what its timer was set by.
            client_bring_forward(client)
        else:
            client_close(client, False)


cdef void clients_close_lost(HttpWorkerC* worker) noexcept nogil:
    cdef HttpClientC* client
    cdef HttpClientC* following = worker.clients
    while following != NULL:
        client = following
        following = client.next
        if client.stream == NULL and client_is_lost(client):
            client.upstream.cluster.stats[worker.core.index][CLUSTER_CX_ENDPOINT_CLOSED] += 1
            client_close(client, False)


cdef void clients_close_idle(HttpWorkerC* worker) noexcept nogil:
    cdef HttpClientC* client
    cdef HttpClientC* following = worker.clients
    while following != NULL:
        client = following
        following = client.next
        if client.stream == NULL:
            client_close(client, False)

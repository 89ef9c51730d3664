"""The access record of a connection; the contract stands in record.pxd."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy, memset
from mesh_core.net.address cimport address_is_wildcard
from mesh_core.net.sockets cimport socket_local_address
from mesh_core.runtime.ring cimport ring_commit, ring_reserve
from mesh_core.snapshot.tables cimport NameC
from mesh_core.telemetry.access_log cimport ACCESS_TEXT_LIMIT, AccessRecordC


cdef inline uint16_t name_size(const NameC* name) noexcept nogil:
    return min(name.size, <uint16_t>ACCESS_TEXT_LIMIT)


cdef void connection_record(ConnectionC* connection, int64_t now_us) noexcept nogil:
    cdef const NameC* listener = &connection.listener.name
    cdef const NameC* cluster = &connection.cluster.name
    cdef const NameC* endpoint = &connection.endpoint.name if connection.endpoint != NULL else NULL
    cdef uint16_t endpoint_size = name_size(endpoint) if endpoint != NULL else 0
    cdef uint32_t size = <uint32_t>sizeof(AccessRecordC) + name_size(listener) + name_size(cluster) + endpoint_size
    cdef AccessRecordC* record = <AccessRecordC*>ring_reserve(&connection.table.core.access_ring, size)
    cdef uint8_t* names
    if record == NULL:
        return
    memset(record, 0, sizeof(AccessRecordC))
    record.connection_id = connection.id
    record.start_time_us = connection.start_time_us
    record.duration_us = now_us - connection.opened_us
    record.connect_time_us = connection.connect_time_us
    record.bytes_received = connection.downstream.received
    record.bytes_sent = connection.downstream.sent
    record.flags = connection.flags
    record.detail = connection.detail
    record.error = connection.error
    record.listener_size = name_size(listener)
    record.cluster_size = name_size(cluster)
    record.endpoint_size = endpoint_size
    record.downstream_remote = connection.remote
    record.downstream_local = connection.listener.local
    if connection.proxied_local.family:
        record.downstream_local = connection.proxied_local
    elif address_is_wildcard(&connection.listener.local):
        socket_local_address(connection.downstream.source.fd, &record.downstream_local)
    socket_local_address(connection.upstream.source.fd, &record.upstream_local)
    names = <uint8_t*>(record + 1)
    memcpy(names, listener.text, record.listener_size)
    names += record.listener_size
    memcpy(names, cluster.text, record.cluster_size)
    names += record.cluster_size
    if endpoint_size:
        memcpy(names, endpoint.text, endpoint_size)
    ring_commit(&connection.table.core.access_ring, size)

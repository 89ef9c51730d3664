"""The access record of a connection; the contract stands in record.pxd."""

from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcpy, memset
from mesh_core.net.address cimport address_is_wildcard
from mesh_core.net.sockets cimport socket_local_address
from mesh_core.runtime.ring cimport ring_commit, ring_reserve
from mesh_core.telemetry.access_record cimport (
    TEXT_CLUSTER, TEXT_COUNT, TEXT_DOWNSTREAM_FAILURE, TEXT_DOWNSTREAM_PEER_IDENTITY,
    TEXT_DOWNSTREAM_TLS_CIPHER, TEXT_DOWNSTREAM_TLS_VERSION, TEXT_ENDPOINT, TEXT_LISTENER,
    TEXT_REQUESTED_SERVER_NAME, TEXT_UPSTREAM_FAILURE, TEXT_UPSTREAM_PEER_IDENTITY, TEXT_UPSTREAM_TLS_CIPHER,
    TEXT_UPSTREAM_TLS_VERSION, AccessRecordC, access_text_add, access_text_add_static,
)
from mesh_core.tls.openssl cimport TLSEXT_NAMETYPE_HOST_NAME, openssl
from mesh_core.tls.session cimport TLS_ESTABLISHED


cdef void add_side(AccessTextsC* texts, const TlsC* tls, int version, int cipher, int identity) noexcept nogil:
    if tls == NULL:
        return
    if tls.identity_size:
        access_text_add(texts, identity, <const char*>tls.identity, tls.identity_size)
    if tls.flags & TLS_ESTABLISHED:
        access_text_add_static(texts, version, openssl.SSL_get_version(tls.ssl))
        access_text_add_static(texts, cipher, openssl.SSL_CIPHER_get_name(openssl.SSL_get_current_cipher(tls.ssl)))


cdef void record_add_tls(AccessTextsC* texts, const TlsC* downstream, const TlsC* upstream) noexcept nogil:
    if downstream != NULL:
        access_text_add_static(
            texts, TEXT_REQUESTED_SERVER_NAME, openssl.SSL_get_servername(downstream.ssl, TLSEXT_NAMETYPE_HOST_NAME))
    add_side(texts, downstream, TEXT_DOWNSTREAM_TLS_VERSION, TEXT_DOWNSTREAM_TLS_CIPHER, TEXT_DOWNSTREAM_PEER_IDENTITY)
    add_side(texts, upstream, TEXT_UPSTREAM_TLS_VERSION, TEXT_UPSTREAM_TLS_CIPHER, TEXT_UPSTREAM_PEER_IDENTITY)


cdef void gather(const ConnectionC* connection, AccessTextsC* texts) noexcept nogil:
    memset(texts, 0, sizeof(AccessTextsC))
    access_text_add(texts, TEXT_LISTENER, connection.listener.name.text, connection.listener.name.size)
    if connection.cluster != NULL:
        access_text_add(texts, TEXT_CLUSTER, connection.cluster.name.text, connection.cluster.name.size)
    if connection.upstream.endpoint != NULL:
        access_text_add(
            texts, TEXT_ENDPOINT, connection.upstream.endpoint.name.text, connection.upstream.endpoint.name.size)
    record_add_tls(texts, connection.downstream.tls, connection.upstream.side.tls)
    access_text_add_static(texts, TEXT_DOWNSTREAM_FAILURE, connection.downstream_failure)
    access_text_add_static(texts, TEXT_UPSTREAM_FAILURE, connection.upstream.failure)


cdef void connection_record(ConnectionC* connection, int64_t now_us) noexcept nogil:
    cdef AccessTextsC texts
    cdef AccessRecordC* record
    cdef uint32_t size
    cdef uint8_t* place
    cdef int index
    gather(connection, &texts)
    size = <uint32_t>sizeof(AccessRecordC) + texts.total
    record = <AccessRecordC*>ring_reserve(&connection.table.core.access_ring, size)
    if record == NULL:
        return
    memset(record, 0, sizeof(AccessRecordC))
    record.connection_id = connection.id
    record.start_time_us = connection.start_time_us
    record.duration_us = now_us - connection.opened_us
    record.connect_time_us = connection.upstream.connect_time_us
    record.bytes_received = connection.downstream.received
    record.bytes_sent = connection.downstream.sent
    record.flags = connection.flags
    record.detail = connection.detail
    record.error = connection.upstream.error
    record.attempts = connection.upstream.attempts
    record.downstream_remote = connection.remote
    record.downstream_local = connection.listener.local
    if connection.proxied_local.family:
        record.downstream_local = connection.proxied_local
    elif address_is_wildcard(&connection.listener.local):
        socket_local_address(connection.downstream.source.fd, &record.downstream_local)
    socket_local_address(connection.upstream.side.source.fd, &record.upstream_local)
    memcpy(record.text_sizes, texts.sizes, sizeof(record.text_sizes))
    place = <uint8_t*>(record + 1)
    for index in range(TEXT_COUNT):
        if texts.sizes[index]:
            memcpy(place, texts.texts[index], texts.sizes[index])
            place += texts.sizes[index]
    ring_commit(&connection.table.core.access_ring, size)

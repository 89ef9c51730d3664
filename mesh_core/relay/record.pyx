"""The access record of a connection; the contract stands in record.pxd."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy, memset, strlen
from mesh_core.net.address cimport address_is_wildcard
from mesh_core.net.sockets cimport socket_local_address
from mesh_core.runtime.ring cimport ring_commit, ring_reserve
from mesh_core.telemetry.access_log cimport (
    ACCESS_TEXT_LIMIT, TEXT_CLUSTER, TEXT_COUNT, TEXT_DOWNSTREAM_FAILURE, TEXT_DOWNSTREAM_PEER_IDENTITY,
    TEXT_DOWNSTREAM_TLS_CIPHER, TEXT_DOWNSTREAM_TLS_VERSION, TEXT_ENDPOINT, TEXT_LISTENER,
    TEXT_REQUESTED_SERVER_NAME, TEXT_UPSTREAM_FAILURE, TEXT_UPSTREAM_PEER_IDENTITY, TEXT_UPSTREAM_TLS_CIPHER,
    TEXT_UPSTREAM_TLS_VERSION, AccessRecordC,
)
from mesh_core.tls.openssl cimport TLSEXT_NAMETYPE_HOST_NAME, openssl
from mesh_core.tls.session cimport TLS_ESTABLISHED, TlsC


# The texts of one record, before they are copied into the ring.
cdef struct TextsC:
    const char* texts[TEXT_COUNT]
    uint16_t sizes[TEXT_COUNT]
    uint32_t total


cdef void add(TextsC* texts, int which, const char* text, size_t size) noexcept nogil:
    texts.texts[which] = text
    texts.sizes[which] = <uint16_t>min(size, <size_t>ACCESS_TEXT_LIMIT)
    texts.total += texts.sizes[which]


cdef void add_static(TextsC* texts, int which, const char* text) noexcept nogil:
    if text != NULL:
        add(texts, which, text, strlen(text))


cdef void add_tls(TextsC* texts, const TlsC* tls, int version, int cipher, int identity) noexcept nogil:
    if tls == NULL:
        return
    if tls.identity_size:
        add(texts, identity, <const char*>tls.identity, tls.identity_size)
    if tls.flags & TLS_ESTABLISHED:
        add_static(texts, version, openssl.SSL_get_version(tls.ssl))
        add_static(texts, cipher, openssl.SSL_CIPHER_get_name(openssl.SSL_get_current_cipher(tls.ssl)))


cdef void gather(const ConnectionC* connection, TextsC* texts) noexcept nogil:
    cdef const TlsC* downstream = connection.downstream.tls
    cdef const TlsC* upstream = connection.upstream.tls
    memset(texts, 0, sizeof(TextsC))
    add(texts, TEXT_LISTENER, connection.listener.name.text, connection.listener.name.size)
    if connection.cluster != NULL:
        add(texts, TEXT_CLUSTER, connection.cluster.name.text, connection.cluster.name.size)
    if connection.endpoint != NULL:
        add(texts, TEXT_ENDPOINT, connection.endpoint.name.text, connection.endpoint.name.size)
    if downstream != NULL:
        add_static(texts, TEXT_REQUESTED_SERVER_NAME,
                   openssl.SSL_get_servername(downstream.ssl, TLSEXT_NAMETYPE_HOST_NAME))
    add_tls(texts, downstream, TEXT_DOWNSTREAM_TLS_VERSION, TEXT_DOWNSTREAM_TLS_CIPHER, TEXT_DOWNSTREAM_PEER_IDENTITY)
    add_tls(texts, upstream, TEXT_UPSTREAM_TLS_VERSION, TEXT_UPSTREAM_TLS_CIPHER, TEXT_UPSTREAM_PEER_IDENTITY)
    add_static(texts, TEXT_DOWNSTREAM_FAILURE, connection.downstream_failure)
    add_static(texts, TEXT_UPSTREAM_FAILURE, connection.upstream_failure)


cdef void connection_record(ConnectionC* connection, int64_t now_us) noexcept nogil:
    cdef TextsC texts
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
    record.connect_time_us = connection.connect_time_us
    record.bytes_received = connection.downstream.received
    record.bytes_sent = connection.downstream.sent
    record.flags = connection.flags
    record.detail = connection.detail
    record.error = connection.error
    record.attempts = connection.attempts
    record.downstream_remote = connection.remote
    record.downstream_local = connection.listener.local
    if connection.proxied_local.family:
        record.downstream_local = connection.proxied_local
    elif address_is_wildcard(&connection.listener.local):
        socket_local_address(connection.downstream.source.fd, &record.downstream_local)
    socket_local_address(connection.upstream.source.fd, &record.upstream_local)
    memcpy(record.text_sizes, texts.sizes, sizeof(texts.sizes))
    place = <uint8_t*>(record + 1)
    for index in range(TEXT_COUNT):
        if texts.sizes[index]:
            memcpy(place, texts.texts[index], texts.sizes[index])
            place += texts.sizes[index]
    ring_commit(&connection.table.core.access_ring, size)

"""TLS with the downstream; the contract stands in tls.pxd."""

from mesh_core.downstream.serving cimport connection_serve
from mesh_core.relay.connection cimport connection_abort, connection_out_of_memory, connection_watch
from mesh_core.relay.lingering cimport connection_linger
from mesh_core.relay.tls_handshake cimport (
    HANDSHAKE_CUT, HANDSHAKE_DONE, HANDSHAKE_NO_MEMORY, handshake_begin,
)
from mesh_core.runtime.reactor cimport reactor_set_timer
from mesh_core.telemetry.response_flags cimport (
    DETAIL_TLS_HANDSHAKE_CUT, DETAIL_TLS_HANDSHAKE_FAILED, DETAIL_TLS_HANDSHAKE_TIMEOUT,
    FLAG_DOWNSTREAM_CONNECTION_TERMINATION, FLAG_DOWNSTREAM_PROTOCOL_ERROR,
)
from mesh_core.telemetry.stats cimport (
    LISTENER_TLS_CONNECTION_ERROR, LISTENER_TLS_CUT, LISTENER_TLS_FAIL_VERIFY, LISTENER_TLS_HANDSHAKE,
    LISTENER_TLS_SESSION_REUSED, LISTENER_TLS_TIMEOUT,
)
from mesh_core.tls.session cimport TLS_RESUMED, TlsC, tls_failure_text, tls_peer_refused

cdef void connection_accept_tls(ConnectionC* connection) noexcept nogil:
    cdef bint watched = connection.downstream.source.on_event != NULL
    connection.timer.fire = on_late
    reactor_set_timer(&connection.table.core.reactor, &connection.timer,
                      connection.table.core.reactor.now_ms + connection.chain.tls.handshake_timeout_ms)
    if watched or connection_watch(connection, &connection.downstream):
        handshake_begin(
            connection.table.core, &connection.downstream, connection.chain.tls, NULL, connection, on_handshake_done)


cdef void on_handshake_done(void* owner, int result) noexcept nogil:
    cdef ConnectionC* connection = <ConnectionC*>owner
    cdef TlsC* tls = connection.downstream.tls
    if result == HANDSHAKE_DONE:
        count(connection, LISTENER_TLS_HANDSHAKE)
        if tls.flags & TLS_RESUMED:
            count(connection, LISTENER_TLS_SESSION_REUSED)
        connection_serve(connection)
    elif result == HANDSHAKE_NO_MEMORY:
        connection_out_of_memory(connection)
    elif result == HANDSHAKE_CUT:
        count(connection, LISTENER_TLS_CUT)
        connection_abort(connection, FLAG_DOWNSTREAM_CONNECTION_TERMINATION, DETAIL_TLS_HANDSHAKE_CUT)
    else:
        count(connection, LISTENER_TLS_FAIL_VERIFY if tls_peer_refused(tls) else LISTENER_TLS_CONNECTION_ERROR)
        connection.downstream_failure = tls_failure_text(tls)
        connection.flags |= FLAG_DOWNSTREAM_PROTOCOL_ERROR
        connection.detail = DETAIL_TLS_HANDSHAKE_FAILED
        # A reset, now, could overtake the alert that tells the peer why.
        connection_linger(connection)


cdef void count(ConnectionC* connection, int statistic) noexcept nogil:
    connection.listener.stats[connection.table.core.index][statistic] += 1


cdef void on_late(void* owner) noexcept nogil:
    cdef ConnectionC* connection = <ConnectionC*>owner
    count(connection, LISTENER_TLS_TIMEOUT)
    connection_abort(connection, FLAG_DOWNSTREAM_PROTOCOL_ERROR, DETAIL_TLS_HANDSHAKE_TIMEOUT)

"""TLS with the downstream; the contract stands in downstream_tls.pxd."""

from libc.stdint cimport uint32_t
from mesh_core.includes.linux cimport EPOLLERR, EPOLLHUP, EPOLLRDHUP
from mesh_core.includes.socket cimport SHUT_WR, recv, shutdown
from mesh_core.relay.connecting cimport connection_connect
from mesh_core.relay.connection cimport connection_abort, connection_watch
from mesh_core.relay.tls_handshake cimport (
    HANDSHAKE_CUT, HANDSHAKE_DONE, handshake_begin,
)
from mesh_core.runtime.core cimport SCRATCH_BYTES
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

cdef enum:
    LINGER_MS = 1000           # for the peer to read our alert (Envoy's delayed_close_timeout)


cdef void connection_accept_tls(ConnectionC* connection) noexcept nogil:
    cdef bint watched = connection.downstream.source.on_event != NULL
    connection.handshake_done = on_handshake_done
    connection.timer.fire = on_late
    reactor_set_timer(&connection.table.core.reactor, &connection.timer,
                      connection.table.core.reactor.now_ms + connection.chain.tls.handshake_timeout_ms)
    if watched or connection_watch(connection, &connection.downstream):
        handshake_begin(connection, &connection.downstream, connection.chain.tls, NULL)


cdef void on_handshake_done(ConnectionC* connection, int result) noexcept nogil:
    cdef TlsC* tls = connection.downstream.tls
    if result == HANDSHAKE_DONE:
        count(connection, LISTENER_TLS_HANDSHAKE)
        if tls.flags & TLS_RESUMED:
            count(connection, LISTENER_TLS_SESSION_REUSED)
        connection_connect(connection)
    elif result == HANDSHAKE_CUT:
        count(connection, LISTENER_TLS_CUT)
        connection_abort(connection, FLAG_DOWNSTREAM_CONNECTION_TERMINATION, DETAIL_TLS_HANDSHAKE_CUT)
    else:
        count(connection, LISTENER_TLS_FAIL_VERIFY if tls_peer_refused(tls) else LISTENER_TLS_CONNECTION_ERROR)
        connection.downstream_failure = tls_failure_text(tls)
        linger(connection)


cdef void count(ConnectionC* connection, int statistic) noexcept nogil:
    connection.listener.stats[connection.table.core.index][statistic] += 1


cdef void on_late(void* owner) noexcept nogil:
    cdef ConnectionC* connection = <ConnectionC*>owner
    count(connection, LISTENER_TLS_TIMEOUT)
    connection_abort(connection, FLAG_DOWNSTREAM_PROTOCOL_ERROR, DETAIL_TLS_HANDSHAKE_TIMEOUT)


# --- after a failure: a reset, now, could overtake the alert that tells the peer why ---

cdef void linger(ConnectionC* connection) noexcept nogil:
    shutdown(connection.downstream.source.fd, SHUT_WR)
    connection.downstream.source.on_event = on_lingering
    connection.timer.fire = on_lingered
    reactor_set_timer(&connection.table.core.reactor, &connection.timer,
                      connection.table.core.reactor.now_ms + LINGER_MS)
    on_lingering(connection, 0)


cdef void on_lingering(void* owner, uint32_t events) noexcept nogil:
    """Drop what comes, so that the peer's end can be seen behind it."""
    cdef ConnectionC* connection = <ConnectionC*>owner
    cdef ssize_t received = recv(connection.downstream.source.fd, connection.table.core.scratch, SCRATCH_BYTES, 0)
    if events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR) or received == 0:
        on_lingered(owner)


cdef void on_lingered(void* owner) noexcept nogil:
    connection_abort(<ConnectionC*>owner, FLAG_DOWNSTREAM_PROTOCOL_ERROR, DETAIL_TLS_HANDSHAKE_FAILED)

"""After a granted Upgrade or CONNECT; the contract stands in tunnel.pxd."""

from libc.stdint cimport uint32_t
from libc.string cimport memset
from mesh_core.http.ending cimport stream_cut
from mesh_core.http.input cimport input_clear
from mesh_core.http.pool cimport client_forget
from mesh_core.http.stream cimport DownstreamC, HttpClientC, downstream_of, stream_end
from mesh_core.http.stream_record cimport stream_record
from mesh_core.http.waiting cimport waiting_wake
from mesh_core.http1.grammar cimport SliceC, equals_ignoring_case, list_next
from mesh_core.includes.atomic cimport fetch_add_u64
from mesh_core.relay.connection cimport ConnectionC, connection_out_of_memory
from mesh_core.relay.open_connection cimport connection_opened
from mesh_core.relay.relay cimport RELAY_BLOCKED
from mesh_core.relay.transport cimport side_send
from mesh_core.relay.upstream cimport UpstreamC
from mesh_core.runtime.core cimport CoreC
from mesh_core.runtime.memory cimport memory_free
from mesh_core.runtime.reactor cimport reactor_cancel_timer, reactor_forget, reactor_ignore, reactor_watch
from mesh_core.telemetry.response_flags cimport (
    DETAIL_DOWNSTREAM_RESET, DETAIL_UPSTREAM_RESET, FLAG_DOWNSTREAM_CONNECTION_TERMINATION,
    FLAG_UPSTREAM_CONNECTION_TERMINATION,
)
from mesh_core.telemetry.stats cimport LISTENER_CX_UPGRADES_ENDED, LISTENER_CX_UPGRADES_TOTAL


cdef bint tunnel_is_asked_for(const StreamC* stream, const uint8_t* data, const FramingC* framing) noexcept nogil:
    cdef uint32_t at = 0
    cdef SliceC name
    while list_next(stream.upgrade, &at, stream.upgrade_bytes, &name):
        if name.size == framing.upgrade.size and equals_ignoring_case(
                stream.upgrade + name.at, data + framing.upgrade.at, name.size):
            return True
    return False


cdef void tunnel_begin(StreamC* stream, int64_t head_bytes, const uint8_t* data, size_t size) noexcept nogil:
    cdef ConnectionC* connection = stream.connection
    cdef DownstreamC* downstream = downstream_of(connection)
    cdef CoreC* core = stream.worker.core
    cdef int status = side_send(core, &connection.downstream, stream.worker.message, head_bytes)
    if status <= RELAY_BLOCKED and size:
        status = side_send(core, &connection.downstream, data, size)
    if status > RELAY_BLOCKED:
        stream_cut(stream, FLAG_DOWNSTREAM_CONNECTION_TERMINATION, DETAIL_DOWNSTREAM_RESET)
        return
    if downstream.input.size:
        status = side_send(core, &stream.client.upstream.side, downstream.input.data, downstream.input.size)
        if status > RELAY_BLOCKED:
            stream_cut(stream, FLAG_UPSTREAM_CONNECTION_TERMINATION, DETAIL_UPSTREAM_RESET)
            return
    connection.listener.stats[core.index][LISTENER_CX_UPGRADES_TOTAL] += 1
    stream_record(stream)
    take_over(connection, stream.client)
    stream_end(stream)
    input_clear(&downstream.input)
    memory_free(downstream)
    connection.protocol_state = NULL
    connection.ending = on_ending
    if reactor_watch(&core.reactor, &connection.upstream.side.source) != 0:
        connection_out_of_memory(connection)
    else:
        connection_opened(connection)


cdef bint on_ending(ConnectionC* connection) noexcept nogil:
    connection.listener.stats[connection.table.core.index][LISTENER_CX_UPGRADES_ENDED] += 1
    return True


cdef void take_over(ConnectionC* connection, HttpClientC* client) noexcept nogil:
    """Make the client's upstream connection that of `connection`, and the client nothing."""
    cdef UpstreamC* upstream = &connection.upstream
    cdef CoreC* core = client.worker.core
    reactor_cancel_timer(&core.reactor, &client.upstream.timer)
    # It is watched anew by its new address; what is ready now is told again.
    reactor_forget(&core.reactor, &client.upstream.side.source)
    upstream[0] = client.upstream
    memset(&client.upstream.side, 0, sizeof(client.upstream.side))
    client.upstream.side.source.fd = -1
    client.upstream.side.source.on_event = reactor_ignore
    upstream.owner = connection
    upstream.side.source.owner = connection
    # A relayed connection counts by itself.
    upstream.requests = False
    fetch_add_u64(&upstream.endpoint.state.active, 1)
    connection.cluster = upstream.cluster
    client_forget(client)
    # Who waits for a connection may have waited for this one.
    waiting_wake(client.worker, upstream.cluster.state, upstream.priority, upstream.endpoint.state)

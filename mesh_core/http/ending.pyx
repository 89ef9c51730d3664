"""How a stream ends; the contract stands in ending.pxd."""

from mesh_core.http.pool cimport client_close, client_give
from mesh_core.http.stream cimport (
    STREAM_ASKED_UPGRADE, STREAM_CLIENT_LAST, STREAM_LAST, DownstreamC, downstream_of, stream_end,
)
from mesh_core.http.stream_record cimport stream_record
from mesh_core.relay.connection cimport connection_abort
from mesh_core.relay.transport cimport side_has_input
from mesh_core.telemetry.stats cimport CLUSTER_RQ_TX_RESET, LISTENER_RQ_RESET


cdef void stream_complete(StreamC* stream) noexcept nogil:
    cdef DownstreamC* downstream = downstream_of(stream.connection)
    stream_record(stream)
    if stream.client != NULL:
        if stream.flags & STREAM_CLIENT_LAST:
            client_close(stream.client, not stream.response_body.ended)
        elif stream.request_body.ended:
            client_give(stream.client)
        else:
            # The answer came before all that was asked.
            client_close(stream.client, True)
    if not stream.request_body.ended:
        downstream.closing = downstream.unread = True
    elif stream.flags & STREAM_LAST:
        downstream.closing = True
    elif stream.flags & STREAM_ASKED_UPGRADE:
        downstream.refused = downstream.input.size > 0 or side_has_input(&stream.connection.downstream)
    downstream.stream = NULL
    stream_end(stream)


cdef void stream_cut(StreamC* stream, uint32_t flags, uint16_t detail) noexcept nogil:
    connection_abort(stream.connection, flags, detail)


cdef void stream_drop(StreamC* stream) noexcept nogil:
    cdef uint32_t index = stream.worker.core.index
    stream.record.flags |= stream.connection.flags
    if not stream.record.detail:
        stream.record.detail = stream.connection.detail
    stream.record.termination = stream.connection.detail
    stream.connection.listener.stats[index][LISTENER_RQ_RESET] += 1
    stream_record(stream)
    if stream.client != NULL:
        stream.cluster.stats[index][CLUSTER_RQ_TX_RESET] += 1
        client_close(stream.client, True)
    downstream_of(stream.connection).stream = NULL
    stream_end(stream)

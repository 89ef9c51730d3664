"""Connections whose endpoint is gone, or is known to be ill; the contract stands in lost_connections.pxd."""

from libc.stdint cimport uint32_t
from mesh_core.includes.atomic cimport load_relaxed_u32
from mesh_core.relay.connection cimport ConnectionC, connection_abort
from mesh_core.relay.upstream_counts cimport COUNTED_ENDPOINT
from mesh_core.telemetry.response_flags cimport (
    DETAIL_ENDPOINT_REMOVED, DETAIL_ENDPOINT_UNHEALTHY, FLAG_UPSTREAM_CONNECTION_TERMINATION,
)
from mesh_core.telemetry.stats cimport CLUSTER_CX_ENDPOINT_CLOSED
from mesh_core.upstream.endpoint_state cimport ENDPOINT_REMOVED


cdef void connections_close_lost(ConnectionTableC* table) noexcept nogil:
    cdef ConnectionC* connection
    cdef ConnectionC* following = table.first
    cdef uint32_t marks
    while following != NULL:
        connection = following
        following = connection.next
        # Between two attempts it has no endpoint to lose.
        if not connection.upstream.counts & COUNTED_ENDPOINT:
            continue
        marks = load_relaxed_u32(&connection.upstream.endpoint.state.unhealthy) & connection.cluster.close_on
        if marks:
            connection.cluster.stats[table.core.index][CLUSTER_CX_ENDPOINT_CLOSED] += 1
            connection_abort(
                connection, FLAG_UPSTREAM_CONNECTION_TERMINATION,
                DETAIL_ENDPOINT_REMOVED if marks & ENDPOINT_REMOVED else DETAIL_ENDPOINT_UNHEALTHY)

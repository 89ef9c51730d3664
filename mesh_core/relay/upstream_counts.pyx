"""Where a connection's upstream side is counted; the contract stands in upstream_counts.pxd."""

from libc.stdint cimport uint32_t
from mesh_core.includes.atomic cimport fetch_add_u64
from mesh_core.snapshot.shared_count cimport shared_count_enter, shared_count_leave
from mesh_core.telemetry.stats cimport (
    CLUSTER_CX_DESTROYED, CLUSTER_CX_OVERFLOW, CLUSTER_CX_PENDING_OVERFLOW, CLUSTER_CX_TOTAL, ENDPOINT_CX_DESTROYED,
    ENDPOINT_CX_TOTAL,
)
from mesh_core.upstream.endpoint_state cimport ClusterStateC
from mesh_core.upstream.retry cimport retry_enter, retry_leave


cdef Admission upstream_admit(ConnectionC* connection) noexcept nogil:
    cdef ClusterStateC* state = connection.cluster.state
    cdef uint32_t index = connection.table.core.index
    if not shared_count_enter(&state.connections, connection.cluster.max_connections):
        connection.cluster.stats[index][CLUSTER_CX_OVERFLOW] += 1
        return OVER_CONNECTIONS
    connection.upstream_counts |= COUNTED_CONNECTION
    if not shared_count_enter(&state.pending, connection.cluster.max_pending):
        connection.cluster.stats[index][CLUSTER_CX_PENDING_OVERFLOW] += 1
        return OVER_PENDING
    connection.upstream_counts |= COUNTED_PENDING
    return ADMITTED


cdef bint upstream_admit_retry(ConnectionC* connection) noexcept nogil:
    if not connection.upstream_counts & COUNTED_RETRY:
        if not retry_enter(&connection.cluster.retry, connection.cluster.state):
            return False
        connection.upstream_counts |= COUNTED_RETRY
    return True


cdef void upstream_attempt_begins(ConnectionC* connection, EndpointC* endpoint) noexcept nogil:
    cdef uint32_t index = connection.table.core.index
    connection.endpoint = endpoint
    connection.attempts += 1
    connection.upstream_counts |= COUNTED_ENDPOINT
    fetch_add_u64(&endpoint.state.active, 1)
    connection.cluster.stats[index][CLUSTER_CX_TOTAL] += 1
    endpoint.stats[index][ENDPOINT_CX_TOTAL] += 1


cdef void upstream_attempt_ends(ConnectionC* connection) noexcept nogil:
    cdef uint32_t index = connection.table.core.index
    connection.upstream_counts &= ~COUNTED_ENDPOINT
    shared_count_leave(&connection.endpoint.state.active)
    connection.cluster.stats[index][CLUSTER_CX_DESTROYED] += 1
    connection.endpoint.stats[index][ENDPOINT_CX_DESTROYED] += 1


cdef void upstream_opened(ConnectionC* connection) noexcept nogil:
    connection.upstream_counts &= ~COUNTED_PENDING
    shared_count_leave(&connection.cluster.state.pending)
    if connection.upstream_counts & COUNTED_RETRY:
        connection.upstream_counts &= ~COUNTED_RETRY
        retry_leave(connection.cluster.state)


cdef void upstream_leave(ConnectionC* connection) noexcept nogil:
    if connection.upstream_counts & COUNTED_PENDING:
        upstream_opened(connection)
    if connection.upstream_counts & COUNTED_ENDPOINT:
        upstream_attempt_ends(connection)
    if connection.upstream_counts & COUNTED_CONNECTION:
        shared_count_leave(&connection.cluster.state.connections)
    connection.upstream_counts = 0

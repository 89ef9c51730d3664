"""One relayed connection; the contract stands in connection.pxd."""

from libc.string cimport memset
from mesh_core.relay.closing cimport side_close
from mesh_core.relay.record cimport connection_record
from mesh_core.relay.relay cimport side_input_flags
from mesh_core.relay.upstream cimport upstream_close, upstream_init
from mesh_core.runtime.clock cimport monotonic_us, wall_clock_us
from mesh_core.runtime.core cimport WORKERS_MOST, core_notify
from mesh_core.runtime.debug cimport require
from mesh_core.runtime.memory cimport memory_alloc, memory_free
from mesh_core.runtime.reactor cimport (
    reactor_cancel_task, reactor_cancel_timer, reactor_ignore, reactor_retire, reactor_watch,
)
from mesh_core.snapshot.shared_count cimport shared_count_leave
from mesh_core.snapshot.snapshot cimport snapshot_hold, snapshot_release
from mesh_core.telemetry.response_flags cimport DETAIL_OUT_OF_MEMORY, FLAG_OVERLOAD
from mesh_core.telemetry.stats cimport (
    LISTENER_CX_DESTROYED, LISTENER_CX_TOTAL, LISTENER_RX_BYTES, LISTENER_TX_BYTES, SERVER_MEMORY_EXHAUSTED,
)


cdef ConnectionC* connection_create(
    ConnectionTableC* table, SnapshotC* snapshot, const ListenerC* listener, int fd
) noexcept nogil:
    cdef CoreC* core = table.core
    cdef uint64_t* stats = listener.stats[core.index]
    cdef ConnectionC* connection = table.spare
    if connection != NULL:
        table.spare = connection.next
        table.spare_count -= 1
        memset(connection, 0, sizeof(ConnectionC))
    else:
        connection = <ConnectionC*>memory_alloc(sizeof(ConnectionC))
        if connection == NULL:
            return NULL
    connection.table = table
    connection.snapshot = snapshot
    snapshot_hold(snapshot, core.index)
    connection.listener = listener
    connection.chain = listener.fallback
    connection.cluster = listener.fallback.cluster if listener.fallback != NULL else NULL
    connection.id = core.next_connection_id
    core.next_connection_id += WORKERS_MOST
    connection.opened_ms = connection.last_active_ms = core.reactor.now_ms
    connection.start_time_us = wall_clock_us()
    connection.opened_us = monotonic_us()
    connection.downstream.source.owner = connection
    connection.downstream.source.fd = fd
    connection.downstream.input_flags = side_input_flags(listener.local.family)
    connection.downstream.rx_counter = &stats[LISTENER_RX_BYTES]
    connection.downstream.tx_counter = &stats[LISTENER_TX_BYTES]
    upstream_init(&connection.upstream, core, connection, NULL, NULL)
    connection.timer.owner = connection
    connection.task.owner = connection
    connection.next = table.first
    connection.link = &table.first
    if connection.next != NULL:
        connection.next.link = &connection.next
    table.first = connection
    stats[LISTENER_CX_TOTAL] += 1
    return connection


cdef bint connection_watch(ConnectionC* connection, SideC* side) noexcept nogil:
    if reactor_watch(&connection.table.core.reactor, &side.source) == 0:
        return True
    connection_out_of_memory(connection)
    return False


cdef void connection_close(ConnectionC* connection) noexcept nogil:
    dispose(connection, False)


cdef void connection_abort(ConnectionC* connection, uint32_t flag, uint16_t detail) noexcept nogil:
    connection.flags |= flag
    connection.detail = detail
    dispose(connection, True)


cdef void connection_out_of_memory(ConnectionC* connection) noexcept nogil:
    connection.table.core.stats[SERVER_MEMORY_EXHAUSTED] += 1
    connection_abort(connection, FLAG_OVERLOAD, DETAIL_OUT_OF_MEMORY)


cdef void dispose(ConnectionC* connection, bint reset) noexcept nogil:
    """Write the record, close both sockets, leave every list; the memory goes at the end of the turn."""
    cdef CoreC* core = connection.table.core
    cdef bint recorded = connection.ending == NULL or connection.ending(connection)
    require(connection.downstream.source.on_event != reactor_ignore)
    if recorded and connection.snapshot.access_log:
        connection_record(connection, monotonic_us())
    side_close(core, &connection.downstream, reset)
    upstream_close(&connection.upstream, reset)
    reactor_cancel_timer(&core.reactor, &connection.timer)
    reactor_cancel_task(&core.reactor, &connection.task)
    connection.link[0] = connection.next
    if connection.next != NULL:
        connection.next.link = connection.link
    connection.listener.stats[core.index][LISTENER_CX_DESTROYED] += 1
    if connection.counted:
        shared_count_leave(connection.listener.active)
        shared_count_leave(connection.snapshot.active)
    if snapshot_release(connection.snapshot, core.index):
        core_notify(core)
    connection.retired.free = free_connection
    connection.retired.owner = connection
    reactor_retire(&core.reactor, &connection.retired)


cdef void free_connection(void* owner) noexcept nogil:
    cdef ConnectionC* connection = <ConnectionC*>owner
    cdef ConnectionTableC* table = connection.table
    if table.spare_count >= SPARES_KEPT:
        memory_free(connection)
        return
    connection.next = table.spare
    table.spare = connection
    table.spare_count += 1


cdef void connection_table_destroy(ConnectionTableC* table) noexcept nogil:
    cdef ConnectionC* connection
    while table.spare != NULL:
        connection = table.spare
        table.spare = connection.next
        memory_free(connection)
    table.spare_count = 0

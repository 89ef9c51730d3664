"""Bytes in the clear from and to a side; the contract stands in transport.pxd."""

from mesh_core.includes.likely cimport unlikely
from mesh_core.includes.socket cimport SHUT_WR, recv, shutdown
from mesh_core.relay.relay cimport (
    RELAY_ENDED, RELAY_WAITING, RELAY_YIELDED, relay_flush, relay_nothing_received,
)
from mesh_core.relay.side cimport SIDE_ENDED, SIDE_READABLE, SIDE_SHUT, SIDE_UNTIL_EMPTY
from mesh_core.relay.tls_relay cimport tls_relay_output, tls_relay_receive, tls_relay_send
from mesh_core.tls.session cimport TLS_CLOSE_SENT, tls_close, tls_relax


cdef RelayStatus side_receive(
    CoreC* core, SideC* side, size_t limit, const uint8_t** data, size_t* size
) noexcept nogil:
    cdef RelayStatus status
    cdef ssize_t received
    size[0] = 0
    if unlikely(side.flags & SIDE_ENDED):
        return RELAY_ENDED
    if side.tls != NULL:
        return receive_records(core, side, limit, data, size)
    while side.flags & SIDE_READABLE:
        received = recv(side.source.fd, core.scratch, limit, 0)
        if received > 0:
            if <size_t>received < limit and not side.flags & SIDE_UNTIL_EMPTY:
                side.flags &= ~SIDE_READABLE
            data[0] = core.scratch
            size[0] = received
            side.received += received
            side.rx_counter[0] += received
            return RELAY_WAITING
        status = relay_nothing_received(side, received)
        if status != RELAY_YIELDED:
            return status
    return RELAY_WAITING


cdef RelayStatus receive_records(
    CoreC* core, SideC* side, size_t limit, const uint8_t** data, size_t* size
) noexcept nogil:
    cdef RelayStatus status = RELAY_WAITING
    while status == RELAY_WAITING and not size[0] and side_has_input(side):
        status = tls_relay_receive(core, side, limit, size)
    tls_relax(side.tls)
    if status != RELAY_WAITING:
        # What came before a failure is worth nothing.
        size[0] = 0
        return status
    if not size[0]:
        return RELAY_ENDED if side.flags & SIDE_ENDED else RELAY_WAITING
    data[0] = core.plain
    side.received += size[0]
    side.rx_counter[0] += size[0]
    return RELAY_WAITING


cdef RelayStatus side_send_records(CoreC* core, SideC* side, const uint8_t* data, size_t size) noexcept nogil:
    cdef RelayStatus status = tls_relay_send(core, side, data, size)
    tls_relax(side.tls)
    return status


cdef RelayStatus side_flush(CoreC* core, SideC* side) noexcept nogil:
    if not side.queue.size and side.pipe == NULL:
        return RELAY_WAITING
    return relay_flush(core, side)


cdef void side_end(CoreC* core, SideC* side) noexcept nogil:
    if side.flags & SIDE_SHUT:
        return
    if side.tls != NULL and not side.tls.flags & TLS_CLOSE_SENT:
        tls_close(side.tls)
        tls_relay_output(core, side)
    side.flags |= SIDE_SHUT
    shutdown(side.source.fd, SHUT_WR)

"""Taking over a new snapshot; the contract stands in adoption.pxd."""

from libc.stdint cimport uint32_t, uint64_t
from mesh_core.http.downstream cimport downstreams_adopt
from mesh_core.http.clients cimport clients_adopt
from mesh_core.includes.atomic cimport store_release_u64
from mesh_core.runtime.core cimport core_notify
from mesh_core.snapshot.snapshot cimport snapshot_find_listener, snapshot_hold, snapshot_release
from mesh_core.snapshot.tables cimport ListenerC
from mesh_core.worker.acceptor cimport (
    LAST_CALL_FINAL, LAST_CALL_SHARED, AcceptorC, LastCall, acceptor_close, acceptor_create,
)


cdef void worker_adopt(WorkerC* worker, SnapshotC* next) noexcept nogil:
    cdef SnapshotC* previous = worker.current
    cdef AcceptorC** place = &worker.acceptors
    cdef AcceptorC* acceptor
    cdef const ListenerC* listener
    cdef uint32_t index
    while place[0] != NULL:
        acceptor = place[0]
        listener = snapshot_find_listener(next, acceptor.listener.socket_id)
        if listener != NULL:
            acceptor.listener = listener
            place = &acceptor.next
        else:
            place[0] = acceptor.next
            acceptor_close(acceptor, last_call(next, acceptor.listener.socket_id))
    clients_adopt(&worker.http, next)
    worker.current = next
    worker.core.pipes.descriptor_limit = next.descriptor_limit
    snapshot_hold(next, worker.core.index)
    for index in range(next.listener_count):
        add_acceptors(worker, &next.listeners[index])
    downstreams_adopt(&worker.http, worker.connections.first)
    store_release_u64(&worker.adopted, next.version)
    if previous != NULL:
        snapshot_release(previous, worker.core.index)
    core_notify(&worker.core)


cdef void add_acceptors(WorkerC* worker, const ListenerC* listener) noexcept nogil:
    """Accept from this worker's sockets of `listener`, unless it does already."""
    cdef uint32_t each
    cdef int fd
    for each in range(listener.sockets_each):
        fd = listener.descriptors[worker.core.index * listener.sockets_each + each]
        if fd >= 0 and find_acceptor(worker, listener.socket_id, fd) == NULL:
            add_acceptor(worker, listener, fd)


cdef void add_acceptor(WorkerC* worker, const ListenerC* listener, int fd) noexcept nogil:
    cdef AcceptorC* acceptor = acceptor_create(
        &worker.connections, &worker.current, listener, fd, &worker.reserve_fd)
    if acceptor == NULL:
        store_release_u64(&worker.unserved, worker.unserved + 1)
        return
    acceptor.next = worker.acceptors
    worker.acceptors = acceptor


cdef LastCall last_call(const SnapshotC* next, uint64_t socket_id) noexcept nogil:
    """What becomes of a socket that `next` does without."""
    cdef uint32_t index
    for index in range(next.shared_socket_count):
        if next.shared_sockets[index] == socket_id:
            return LAST_CALL_SHARED
    return LAST_CALL_FINAL


cdef AcceptorC* find_acceptor(WorkerC* worker, uint64_t socket_id, int fd) noexcept nogil:
    cdef AcceptorC* acceptor = worker.acceptors
    while acceptor != NULL and (acceptor.listener.socket_id != socket_id or acceptor.source.fd != fd):
        acceptor = acceptor.next
    return acceptor

"""One worker's share of a listener; the contract stands in acceptor.pxd."""

from libc.stdint cimport uint32_t
from mesh_core.includes.linux cimport (
    EAGAIN, ECONNABORTED, EINTR, EMFILE, ENFILE, ENOBUFS, ENOMEM, O_CLOEXEC, O_RDONLY, close, errno, open,
)
from mesh_core.includes.socket cimport (
    AF_UNIX, SHUT_RD, SO_OOBINLINE, SOCK_CLOEXEC, SOCK_NONBLOCK, SOL_SOCKET, accept4, setsockopt, shutdown,
    sockaddr, sockaddr_storage, socklen_t,
)
from mesh_core.net.sockets cimport socket_close_reset
from mesh_core.downstream.opening cimport connection_accept
from mesh_core.runtime.core cimport CoreC
from mesh_core.runtime.memory cimport memory_alloc, memory_free
from mesh_core.runtime.reactor cimport (
    reactor_cancel_timer, reactor_forget, reactor_ignore, reactor_retire, reactor_set_timer, reactor_watch_listener,
)
from mesh_core.telemetry.stats cimport LISTENER_ACCEPT_ERROR, SERVER_CX_SHED, SERVER_MEMORY_EXHAUSTED


cdef AcceptorC* acceptor_create(
    ConnectionTableC* connections, SnapshotC** snapshot, const ListenerC* listener, int fd, int* reserve_fd
) noexcept nogil:
    cdef AcceptorC* acceptor = <AcceptorC*>memory_alloc(sizeof(AcceptorC))
    if acceptor == NULL:
        return NULL
    acceptor.connections = connections
    acceptor.snapshot = snapshot
    acceptor.listener = listener
    acceptor.reserve_fd = reserve_fd
    acceptor.source = SourceC(on_event=on_acceptable, owner=acceptor, fd=fd)
    acceptor.timer.owner = acceptor
    acceptor.timer.fire = on_rested
    on_rested(acceptor)
    return acceptor


cdef void acceptor_close(AcceptorC* acceptor, LastCall last_call) noexcept nogil:
    cdef CoreC* core = acceptor.connections.core
    if acceptor.timer.link == NULL:
        reactor_forget(&core.reactor, &acceptor.source)
    if last_call != LAST_CALL_NONE:
        # Their handshakes are complete, so closing the socket on them would be a reset; and the kernel, which wakes
        # one watcher for each, may have told nobody else of them.
        accept_up_to(acceptor, LAST_CALL_LIMIT)
    if last_call == LAST_CALL_FINAL and acceptor.listener.local.family != AF_UNIX:
        # The control thread closes it when every worker is ready, and until then the kernel would go on queueing.
        # A Unix socket is shared with workers that may not be.
        shutdown(acceptor.source.fd, SHUT_RD)
    reactor_cancel_timer(&core.reactor, &acceptor.timer)
    acceptor.source.on_event = reactor_ignore
    acceptor.retired.free = memory_free
    acceptor.retired.owner = acceptor
    reactor_retire(&core.reactor, &acceptor.retired)


cdef void on_acceptable(void* owner, uint32_t events) noexcept nogil:
    cdef AcceptorC* acceptor = <AcceptorC*>owner
    if not accept_up_to(acceptor, ACCEPT_BATCH):
        rest(acceptor)


cdef bint accept_up_to(AcceptorC* acceptor, int limit) noexcept nogil:
    """Take connections until there are none; False when the process cannot take any now."""
    cdef sockaddr_storage remote
    cdef socklen_t size
    cdef int one = 1
    cdef int fd, _round
    for _round in range(limit):
        size = sizeof(remote)
        fd = accept4(acceptor.source.fd, <sockaddr*>&remote, &size, SOCK_NONBLOCK | SOCK_CLOEXEC)
        if fd >= acceptor.snapshot[0].descriptor_limit:
            acceptor.connections.core.stats[SERVER_CX_SHED] += 1
            socket_close_reset(fd)
            shed(acceptor)
            return False
        if fd >= 0 and acceptor.listener.local.family == AF_UNIX:
            # TCP sockets have this from their listener.
            setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &one, sizeof(one))
        if fd >= 0:
            connection_accept(acceptor.connections, acceptor.snapshot[0], acceptor.listener, fd, &remote)
        elif errno == EAGAIN:
            return True
        elif not accept_failed(acceptor, errno):
            return False
    return True


cdef bint accept_failed(AcceptorC* acceptor, int error) noexcept nogil:
    """Count the failure; False when trying again at once is of no use."""
    cdef CoreC* core = acceptor.connections.core
    if error == EINTR or error == ECONNABORTED:
        return True
    if error == EMFILE or error == ENFILE:
        shed(acceptor)
    elif error == ENOMEM or error == ENOBUFS:
        core.stats[SERVER_MEMORY_EXHAUSTED] += 1
    else:
        acceptor.listener.stats[core.index][LISTENER_ACCEPT_ERROR] += 1
    return False


cdef void shed(AcceptorC* acceptor) noexcept nogil:
    """Too few descriptors: close what waits, so that peers learn at once and the queue clears; with none left at all,
    the spare one makes that possible."""
    cdef int fd, _round
    close(acceptor.reserve_fd[0])
    for _round in range(SHED_BATCH):
        fd = accept4(acceptor.source.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)
        if fd < 0:
            break
        acceptor.connections.core.stats[SERVER_CX_SHED] += 1
        socket_close_reset(fd)
    acceptor.reserve_fd[0] = open(b"/dev/null", O_RDONLY | O_CLOEXEC)


cdef void rest(AcceptorC* acceptor) noexcept nogil:
    """Look away for a while: a level-triggered listener would otherwise wake the worker without end."""
    cdef CoreC* core = acceptor.connections.core
    reactor_forget(&core.reactor, &acceptor.source)
    reactor_set_timer(&core.reactor, &acceptor.timer, core.reactor.now_ms + PAUSE_MS)


cdef void on_rested(void* owner) noexcept nogil:
    cdef AcceptorC* acceptor = <AcceptorC*>owner
    if reactor_watch_listener(&acceptor.connections.core.reactor, &acceptor.source):
        reactor_set_timer(&acceptor.connections.core.reactor, &acceptor.timer,
                          acceptor.connections.core.reactor.now_ms + PAUSE_MS)

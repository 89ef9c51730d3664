"""One worker's share of a listener: takes connections off the listening socket. Worker thread, no GIL."""

from libc.stdint cimport uint64_t
from mesh_core.relay.connection cimport ConnectionTableC
from mesh_core.runtime.reactor cimport RetiredC, SourceC
from mesh_core.runtime.timers cimport TimerC
from mesh_core.snapshot.tables cimport ListenerC, SnapshotC

cdef enum:
    ACCEPT_BATCH = 16          # connections taken in one turn
    SHED_BATCH = 64            # connections closed at once when there are no descriptors
    PAUSE_MS = 100             # how long a listener rests when the process has no descriptors or memory
    LAST_CALL_LIMIT = 4096     # connections still served when a listener goes


# Owner: WorkerC. The listening socket belongs to the control thread.
cdef struct AcceptorC:
    AcceptorC* next
    SourceC source
    TimerC timer               # set while the listener rests
    RetiredC retired
    ConnectionTableC* connections
    SnapshotC** snapshot       # the worker's current one
    const ListenerC* listener  # of the current snapshot
    int* reserve_fd            # the worker's spare descriptor


# What becomes of a listening socket when a worker stops accepting from it.
cdef enum LastCall:
    LAST_CALL_NONE             # the worker stops: nobody is served any more
    LAST_CALL_SHARED           # others go on accepting: serve what woke only us, leave the socket as it is
    LAST_CALL_FINAL            # serve what the accept queue still holds, and let nobody join it


# Begin to accept from `fd`, a socket of `listener`, at once or as soon as the kernel has the memory to watch it; NULL
# when ours is exhausted.
cdef AcceptorC* acceptor_create(
    ConnectionTableC* connections, SnapshotC** snapshot, const ListenerC* listener, int fd, int* reserve_fd
) noexcept nogil

# Stop accepting. The struct is freed at the end of the turn.
cdef void acceptor_close(AcceptorC* acceptor, LastCall last_call) noexcept nogil

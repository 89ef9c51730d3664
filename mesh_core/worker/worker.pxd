"""One worker: a reactor, its acceptors and connections, the snapshot it works by, and the words others write to it.

Owner of a WorkerC is the Python object Worker, on the control thread. Between start and end of its thread (or, in
the inline mounting, of its turns) only the words marked shared may be touched by anyone else.
"""

from libc.stdint cimport uint32_t, uint64_t
from mesh_core.http.stream cimport HttpWorkerC
from mesh_core.relay.connection cimport ConnectionTableC
from mesh_core.runtime.core cimport CoreC
from mesh_core.snapshot.tables cimport SnapshotC
from mesh_core.worker.acceptor cimport AcceptorC

cdef enum:
    COMMAND_STOP = 1 << 0
    COMMAND_ABORT = 1 << 1     # abort every connection
    COMMAND_CLOSE_LOST = 1 << 2  # abort the connections whose endpoint is one that their cluster wants them closed for


cdef struct WorkerC:
    CoreC core
    ConnectionTableC connections
    HttpWorkerC http
    AcceptorC* acceptors
    SnapshotC* current         # held; NULL before the first one
    int reserve_fd             # given up for a moment to close what cannot be served
    bint stopped
    void* mailbox              # SnapshotC to take over next, or NULL; shared
    uint32_t commands          # WorkerCommand bits; shared
    uint64_t adopted           # version of `current`; shared
    uint64_t unserved          # listeners that could not be watched, ever; shared


# 0, or an errno.
cdef int worker_init(
    WorkerC* worker, uint32_t index, uint64_t ring_bytes, uint32_t series_limit, int notify_fd, uint64_t* stats
) noexcept nogil

# Any thread: ask for commands and the mailbox to be looked at.
cdef void worker_command(WorkerC* worker, uint32_t commands) noexcept nogil

# The worker's thread: turn until told to stop.
cdef void worker_run(WorkerC* worker) noexcept nogil

# One turn without waiting; True when there is more to do at once.
cdef bint worker_turn(WorkerC* worker) noexcept nogil

# After its thread has ended: abort what is left, give everything back.
cdef void worker_destroy(WorkerC* worker) noexcept nogil

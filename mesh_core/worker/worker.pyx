"""One worker; the contract stands in worker.pxd. The class Worker is its face to the control thread."""

cimport cython
from libc.string cimport memset
from mesh_core.includes.atomic cimport (
    exchange_ptr, exchange_u32, fetch_or_u32, load_acquire_u64, load_relaxed_u64, store_release_u32,
)
from mesh_core.includes.linux cimport (
    ENOMEM, O_CLOEXEC, O_RDONLY, SIG_SETMASK, close, open, pthread_sigmask, sigfillset, sigset_t, strerror,
)
from mesh_core.http.copies cimport copies_abort
from mesh_core.http.exchange cimport exchange_init
from mesh_core.http.clients cimport clients_close_idle, clients_close_lost
from mesh_core.http.stream cimport http_worker_destroy, http_worker_init
from mesh_core.relay.connection cimport connection_abort, connection_table_destroy
from mesh_core.relay.lost_connections cimport connections_close_lost
from mesh_core.runtime.core cimport core_destroy, core_init, core_notify
from mesh_core.runtime.memory cimport memory_alloc, memory_free
from mesh_core.runtime.reactor cimport reactor_destroy, reactor_has_work, reactor_turn, reactor_wake
from mesh_core.runtime.ring cimport ring_arm
from mesh_core.snapshot.snapshot cimport Snapshot, snapshot_release
from mesh_core.telemetry.access_log cimport AccessFormat
from mesh_core.telemetry.request_metrics cimport read_request_metrics
from mesh_core.telemetry.response_flags cimport DETAIL_DRAIN_LIMIT, FLAG_DOWNSTREAM_CONNECTION_TERMINATION
from mesh_core.telemetry.stats cimport LISTENER_DRAIN_CLOSED, StatsScope
from mesh_core.worker.acceptor cimport LAST_CALL_NONE, acceptor_close
from mesh_core.worker.adoption cimport worker_adopt


cdef int worker_init(
    WorkerC* worker, uint32_t index, uint64_t ring_bytes, uint32_t series_limit, int notify_fd, uint64_t* stats
) noexcept nogil:
    cdef int error
    memset(worker, 0, sizeof(WorkerC))
    error = core_init(&worker.core, index, ring_bytes, series_limit, notify_fd, stats)
    if error:
        return error
    error = http_worker_init(&worker.http, &worker.core, &worker.current)
    if error:
        core_destroy(&worker.core)
        return error
    exchange_init(&worker.http)
    worker.connections.core = &worker.core
    worker.connections.http = &worker.http
    worker.core.reactor.on_wake = on_wake
    worker.core.reactor.wake_owner = worker
    worker.reserve_fd = open(b"/dev/null", O_RDONLY | O_CLOEXEC)
    return 0


cdef void worker_command(WorkerC* worker, uint32_t commands) noexcept nogil:
    fetch_or_u32(&worker.commands, commands)
    reactor_wake(&worker.core.reactor)


cdef void worker_run(WorkerC* worker) noexcept nogil:
    cdef sigset_t all_signals
    # Signals are the control thread's business.
    sigfillset(&all_signals)
    pthread_sigmask(SIG_SETMASK, &all_signals, NULL)
    while not worker.stopped:
        reactor_turn(&worker.core.reactor, True)


cdef bint worker_turn(WorkerC* worker) noexcept nogil:
    if worker.stopped:
        return False
    reactor_turn(&worker.core.reactor, False)
    return reactor_has_work(&worker.core.reactor)


cdef void worker_destroy(WorkerC* worker) noexcept nogil:
    cdef SnapshotC* unseen = <SnapshotC*>exchange_ptr(&worker.mailbox, NULL)
    if unseen != NULL:
        store_release_u32(&unseen.released[worker.core.index], 1)
    leave_snapshot(worker)
    http_worker_destroy(&worker.http)
    # Frees what was retired a moment ago, which connection_table_destroy must find among the spare ones.
    reactor_destroy(&worker.core.reactor)
    connection_table_destroy(&worker.connections)
    if worker.reserve_fd >= 0:
        close(worker.reserve_fd)
    core_destroy(&worker.core)


# --- what others ask of it ---

cdef void on_wake(void* owner, uint32_t events) noexcept nogil:
    cdef WorkerC* worker = <WorkerC*>owner
    cdef uint32_t commands = exchange_u32(&worker.commands, 0)
    cdef SnapshotC* next = <SnapshotC*>exchange_ptr(&worker.mailbox, NULL)
    if next != NULL:
        worker_adopt(worker, next)
    if commands & COMMAND_CLOSE_LOST:
        connections_close_lost(&worker.connections)
        clients_close_lost(&worker.http)
    if commands & COMMAND_ABORT:
        abort_all(worker)
    if commands & COMMAND_STOP:
        worker.stopped = True
        leave_snapshot(worker)


cdef void abort_all(WorkerC* worker) noexcept nogil:
    while worker.connections.first != NULL:
        worker.connections.first.listener.stats[worker.core.index][LISTENER_DRAIN_CLOSED] += 1
        connection_abort(worker.connections.first, FLAG_DOWNSTREAM_CONNECTION_TERMINATION, DETAIL_DRAIN_LIMIT)


cdef void leave_snapshot(WorkerC* worker) noexcept nogil:
    """Stop accepting, abort what is left, let the snapshot go."""
    cdef AcceptorC* acceptor
    cdef SnapshotC* previous = worker.current
    while worker.acceptors != NULL:
        acceptor = worker.acceptors
        worker.acceptors = acceptor.next
        acceptor_close(acceptor, LAST_CALL_NONE)
    abort_all(worker)
    copies_abort(&worker.http)
    clients_close_idle(&worker.http)
    worker.current = NULL
    if previous != NULL:
        snapshot_release(previous, worker.core.index)
        core_notify(&worker.core)


# The garbage collector, were it to look inside, could take the snapshots away before __dealloc__ has ended what uses
# them. Nothing that is kept here leads back.
@cython.no_gc
cdef class Worker:
    """One worker, seen from the control thread.

    Either `run` blocks in a thread of its own (threaded mounting), or `turn` is called whenever `epoll_fd` is
    readable (inline mounting). `close` comes last, after `run` has returned.
    """

    cdef WorkerC* state        # owned
    cdef StatsScope server     # keeps the counters that `state` points to
    cdef list held             # snapshots that `state` may still reach, though nobody else keeps them

    def __cinit__(self, uint32_t index, int notify_fd, StatsScope server, ring_bytes=1 << 20, series_limit=2000):
        """`notify_fd`: an eventfd, written when there is news. `ring_bytes`: room for access records, a power of two.
        `series_limit`: series of request metrics.

        Raises OSError when descriptors are exhausted, MemoryError.
        """
        cdef int error
        if ring_bytes < 4096 or ring_bytes & (ring_bytes - 1):
            raise ValueError(f"ring_bytes must be a power of two of at least 4096, not {ring_bytes}")
        self.server = server
        self.held = []
        self.state = <WorkerC*>memory_alloc(sizeof(WorkerC))
        if self.state == NULL:
            raise MemoryError()
        error = worker_init(self.state, index, ring_bytes, series_limit, notify_fd, server.blocks[index])
        if error:
            memory_free(self.state)
            self.state = NULL
            if error == ENOMEM:
                raise MemoryError()
            raise OSError(error, f"worker {index} cannot start: {strerror(error).decode()}")

    def __dealloc__(self):
        if self.state != NULL:
            worker_destroy(self.state)
            memory_free(self.state)

    def close(self):
        """Give everything back; connections that are left are aborted. The object is of no use afterwards."""
        if self.state != NULL:
            worker_destroy(self.state)
            memory_free(self.state)
            self.state = NULL

    cdef WorkerC* alive(self) except NULL:
        if self.state == NULL:
            raise RuntimeError("this worker is closed")
        return self.state

    def run(self):
        """Work until `stop`, without the GIL. Call it from a thread of its own: it blocks every signal there."""
        cdef WorkerC* worker = self.alive()
        with nogil:
            worker_run(worker)

    def turn(self):
        """Handle what has happened, without waiting; True when there is more to do at once."""
        cdef WorkerC* worker = self.alive()
        cdef bint more
        with nogil:
            more = worker_turn(worker)
        return more

    def publish(self, Snapshot snapshot not None):
        """Hand over the snapshot to work by from now on; it is kept until `snapshot.released`."""
        cdef WorkerC* worker = self.alive()
        cdef SnapshotC* overtaken
        self.held = [each for each in self.held if not each.released]
        self.held.append(snapshot)
        overtaken = <SnapshotC*>exchange_ptr(&worker.mailbox, snapshot.table)
        if overtaken != NULL:
            # This worker never saw it.
            store_release_u32(&overtaken.released[worker.core.index], 1)
        worker_command(worker, 0)

    def stop(self):
        """Make `run` return soon; connections are aborted."""
        worker_command(self.alive(), COMMAND_STOP)

    def abort_connections(self):
        """Reset every connection, as at the end of a drain."""
        worker_command(self.alive(), COMMAND_ABORT)

    def close_lost_connections(self):
        """Reset the connections to endpoints that were removed, or are unhealthy, where their cluster says so."""
        worker_command(self.alive(), COMMAND_CLOSE_LOST)

    def collect_access_log(self, AccessFormat format not None):
        """Access records that have come since, as lines (bytes): a part of them; b"" when there are none."""
        return format.collect(&self.alive().core.access_ring)

    def arm_access_log(self):
        """Ask for a notification at the next access record; True when some have come meanwhile."""
        return ring_arm(&self.alive().core.access_ring)

    def request_series(self):
        """The series of request metrics: a list of what read_request_metrics gives."""
        return read_request_metrics(&self.alive().core.request_metrics)

    @property
    def stopped(self):
        """True once `stop` has been acted on (bool)."""
        return self.alive().stopped

    @property
    def epoll_fd(self):
        """Readable when a turn is due (int)."""
        return self.alive().core.reactor.epoll_fd

    @property
    def adopted(self):
        """Version of the snapshot that new connections get (int, 0 before the first one)."""
        return load_acquire_u64(&self.alive().adopted)

    @property
    def unserved_listeners(self):
        """How often a listener could not be served at all, for want of memory (int)."""
        return load_acquire_u64(&self.alive().unserved)

    @property
    def access_records_dropped(self):
        """Access records that found the ring full (int)."""
        return load_relaxed_u64(&self.alive().core.access_ring.dropped)

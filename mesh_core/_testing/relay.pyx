"""The relay's moving of bytes between two sockets, from Python."""

from libc.stdint cimport uint32_t, uint64_t
cimport mesh_core.relay.relay as relay_module
cimport mesh_core.relay.side as side_module
from mesh_core.relay.side cimport SideC
from mesh_core.runtime.core cimport SCRATCH_BYTES as SCRATCH_LIMIT, CoreC, core_destroy, core_init
cimport mesh_core.telemetry.stats as stats
from mesh_core.telemetry.stats cimport StatsScope

SCRATCH_BYTES = SCRATCH_LIMIT
SERVER_BULK_STREAMS = stats.SERVER_BULK_STREAMS
BULK_THRESHOLD = relay_module.BULK_THRESHOLD
STATUS_NAMES = {
    relay_module.RELAY_WAITING: "waiting", relay_module.RELAY_BLOCKED: "blocked",
    relay_module.RELAY_YIELDED: "yielded", relay_module.RELAY_ENDED: "ended",
    relay_module.RELAY_SOURCE_FAILED: "source failed", relay_module.RELAY_SINK_FAILED: "sink failed",
    relay_module.RELAY_NO_MEMORY: "no memory",
}


cdef class Relay:
    """A source and a sink, with the core that serves them; the descriptors belong to the caller."""

    cdef CoreC core
    cdef SideC source
    cdef SideC sink
    cdef uint64_t counters[4]
    cdef StatsScope scope
    cdef bint open

    def __cinit__(self, int source_fd, int sink_fd, StatsScope scope not None):
        cdef int error = core_init(&self.core, 0, 4096, 16, -1, scope.blocks[0])
        if error:
            raise OSError(error, "core_init")
        self.open = True
        self.scope = scope
        self.source.source.fd, self.sink.source.fd = source_fd, sink_fd
        self.source.rx_counter, self.source.tx_counter = &self.counters[0], &self.counters[1]
        self.sink.rx_counter, self.sink.tx_counter = &self.counters[2], &self.counters[3]

    def close(self):
        if self.open:
            self.open = False
            relay_module.side_clear(&self.core, &self.source)
            relay_module.side_clear(&self.core, &self.sink)
            core_destroy(&self.core)

    def __dealloc__(self):
        self.close()

    def readable(self, bint until_empty=False):
        self.source.flags |= side_module.SIDE_READABLE
        if until_empty:
            self.source.flags |= side_module.SIDE_UNTIL_EMPTY

    def unblocked(self):
        self.sink.flags &= ~<uint32_t>side_module.SIDE_BLOCKED

    def move(self, size_t limit=SCRATCH_LIMIT, uint64_t most=0x7FFFFFFFFFFFFFFF):
        cdef relay_module.RelayStatus status
        cdef uint64_t left = most
        with nogil:
            status = relay_module.relay_move(&self.core, &self.source, &self.sink, limit, &left)
        return STATUS_NAMES[status]

    @property
    def is_readable(self):
        return bool(self.source.flags & side_module.SIDE_READABLE)

    @property
    def is_blocked(self):
        return bool(self.sink.flags & side_module.SIDE_BLOCKED)

    @property
    def kept(self):
        """Bytes received and not yet sent: those in the queue, those in a pipe."""
        return self.sink.queue.size, self.sink.pipe.filled if self.sink.pipe != NULL else 0

    @property
    def pipes(self):
        return self.core.pipes.live

    @property
    def bulk(self):
        return self.source.bulk

    @property
    def received(self):
        assert self.source.received == self.counters[0]
        return self.source.received

    @property
    def sent(self):
        assert self.sink.sent == self.counters[3]
        return self.sink.sent

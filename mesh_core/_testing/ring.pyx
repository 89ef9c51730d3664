"""Both sides of a ring, from Python, and two loops that keep them busy without the GIL."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset
from mesh_core.includes.atomic cimport load_relaxed_u64
from mesh_core.includes.linux cimport read
cimport mesh_core.runtime.ring as ring_module

cdef extern from "<poll.h>" nogil:
    cdef struct pollfd:
        int fd
        short events
    enum:
        POLLIN
    int poll(pollfd* fds, unsigned long count, int timeout_ms)

cdef extern from "<sched.h>" nogil:
    int sched_yield()

cdef class Ring:
    """Either side of a ring. Records that `produce` makes carry their number, and are filled with its low byte."""

    cdef ring_module.RingC ring

    def __cinit__(self, uint64_t capacity, int event_fd):
        if ring_module.ring_init(&self.ring, capacity, event_fd) < 0:
            raise MemoryError()

    def __dealloc__(self):
        ring_module.ring_destroy(&self.ring)

    @property
    def dropped(self):
        return load_relaxed_u64(&self.ring.dropped)

    def write(self, bytes data, reserve=None):
        """Write one record, of which `reserve` bytes are reserved first; False when it was dropped."""
        cdef uint32_t size = len(data) if reserve is None else reserve
        cdef void* room = ring_module.ring_reserve(&self.ring, size)
        if room == NULL:
            return False
        assert <size_t>room % 8 == 0
        memset(room, 0xEE, size)
        memcpy(room, <const char*>data, len(data))
        ring_module.ring_commit(&self.ring, <uint32_t>len(data))
        return True

    def peek(self):
        cdef uint32_t size
        cdef const void* record = ring_module.ring_peek(&self.ring, &size)
        return None if record == NULL else (<const char*>record)[:size]

    def consume(self):
        ring_module.ring_consume(&self.ring)

    def arm(self):
        return ring_module.ring_arm(&self.ring)

    def produce(self, uint64_t count, uint32_t size_limit, bint again):
        """Write records 0 to `count` - 1, of 8 to `size_limit` bytes; `again`: try until each has found room."""
        with nogil:
            produce(&self.ring, count, size_limit, again)

    def collect(self, uint64_t last, int patience_ms):
        """Read, sleeping on the eventfd, until record number `last`: (records, wake-ups, faults).

        A fault is a number out of order or a wrong filling; -1 as faults tells that a wake-up was lost.
        """
        cdef uint64_t totals[3]
        memset(totals, 0, sizeof(totals))
        with nogil:
            collect(&self.ring, last, patience_ms, totals)
        return totals[0], totals[1], <int64_t>totals[2]


cdef void produce(ring_module.RingC* ring, uint64_t count, uint32_t size_limit, bint again) noexcept nogil:
    cdef uint64_t number = 0
    cdef uint64_t noise = 88172645463325252
    cdef uint32_t size
    cdef uint64_t* room
    while number < count:
        noise ^= noise << 13
        noise ^= noise >> 7
        noise ^= noise << 17
        size = 8 + <uint32_t>(noise % (size_limit - 7))
        room = <uint64_t*>ring_module.ring_reserve(ring, size)
        # The last record must arrive, for the reader waits for it.
        if room == NULL and (again or number == count - 1):
            sched_yield()
            continue
        if room != NULL:
            memset(room, <int>(number & 0xFF), size)
            room[0] = number
            ring_module.ring_commit(ring, size)
        number += 1


cdef void collect(ring_module.RingC* ring, uint64_t last, int patience_ms, uint64_t* totals) noexcept nogil:
    cdef const uint8_t* record
    cdef uint32_t size, index
    cdef uint64_t number, wakes
    cdef uint64_t expected = 0
    cdef pollfd waiting
    waiting.fd = ring.event_fd
    waiting.events = POLLIN
    while expected <= last:
        record = <const uint8_t*>ring_module.ring_peek(ring, &size)
        if record == NULL:
            if ring_module.ring_arm(ring):
                continue
            if poll(&waiting, 1, patience_ms) != 1:
                totals[2] = ~<uint64_t>0
                return
            read(ring.event_fd, &wakes, sizeof(wakes))
            totals[1] += wakes
            continue
        number = (<const uint64_t*>record)[0]
        if number < expected:
            totals[2] += 1
        for index in range(8, size):
            if record[index] != number & 0xFF:
                totals[2] += 1
                break
        expected = number + 1
        totals[0] += 1
        ring_module.ring_consume(ring)

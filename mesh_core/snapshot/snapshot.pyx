"""A snapshot's owner and its lifetime; the contract stands in snapshot.pxd."""

cimport cython
from libc.stdint cimport uint64_t
from mesh_core.includes.atomic cimport load_acquire_u32, store_release_u32
from mesh_core.runtime.arena cimport arena_alloc, arena_free
from mesh_core.runtime.debug cimport require


cdef bint snapshot_release(SnapshotC* snapshot, uint32_t index) noexcept nogil:
    require(snapshot.users[index * USERS_STRIDE] > 0)
    snapshot.users[index * USERS_STRIDE] -= 1
    if snapshot.users[index * USERS_STRIDE]:
        return False
    # The worker never looks at this snapshot again, so from here on it may be freed.
    store_release_u32(&snapshot.released[index], 1)
    return True


cdef const ListenerC* snapshot_find_listener(const SnapshotC* snapshot, uint64_t socket_id) noexcept nogil:
    cdef uint32_t index
    for index in range(snapshot.listener_count):
        if snapshot.listeners[index].socket_id == socket_id:
            return &snapshot.listeners[index]
    return NULL


# Nothing that is kept here leads back, so the garbage collector need not look inside.
@cython.no_gc
cdef class Snapshot:
    """Immutable compiled configuration. Made by mesh_core.control.compiler only."""

    def __cinit__(self, uint64_t version, uint32_t workers):
        self.keep = []
        self.shared = {}
        self.table = <SnapshotC*>self.allocate(sizeof(SnapshotC))
        self.table.version = version
        self.table.worker_count = workers
        self.table.users = <uint64_t*>self.allocate(workers * USERS_STRIDE * sizeof(uint64_t))
        self.table.released = <uint32_t*>self.allocate(workers * sizeof(uint32_t))

    def __dealloc__(self):
        arena_free(&self.arena)

    cdef void* allocate(self, size_t size) except NULL:
        cdef void* piece = arena_alloc(&self.arena, size)
        if piece == NULL:
            raise MemoryError()
        return piece

    @property
    def version(self):
        """The number of this snapshot, growing with each publication (int)."""
        return self.table.version

    @property
    def released(self):
        """True once no worker can reach it any more: then it may be dropped."""
        cdef uint32_t index
        for index in range(self.table.worker_count):
            if not load_acquire_u32(&self.table.released[index]):
                return False
        return True

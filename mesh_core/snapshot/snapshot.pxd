"""A snapshot's owner and its lifetime.

The control thread makes a snapshot, publishes it to every worker, and keeps it until each has said `released`. A
worker holds the newest one itself, and every connection holds the one that it started with.
"""

from libc.stdint cimport uint32_t, uint64_t
from mesh_core.runtime.arena cimport ArenaC
from mesh_core.snapshot.tables cimport USERS_STRIDE, ListenerC, SnapshotC


cdef class Snapshot:
    cdef SnapshotC* table      # owned
    cdef ArenaC arena          # memory of the tables; owned
    cdef list keep             # Python objects that the tables point into
    cdef dict shared           # of tables that stand for many alike, the address by what they are made of

    # Zeroed memory that lives as long as the snapshot. Raises MemoryError.
    cdef void* allocate(self, size_t size) except NULL


# Worker: one more holder of this snapshot on worker `index`.
cdef inline void snapshot_hold(SnapshotC* snapshot, uint32_t index) noexcept nogil:
    snapshot.users[index * USERS_STRIDE] += 1


# Worker: one holder less. True when it was the last one on this worker: then the control thread wants a wake-up.
cdef bint snapshot_release(SnapshotC* snapshot, uint32_t index) noexcept nogil

# The listener of these sockets, or NULL.
cdef const ListenerC* snapshot_find_listener(const SnapshotC* snapshot, uint64_t socket_id) noexcept nogil

"""What is done with all of a worker's clients at once. Worker thread, no GIL."""

from mesh_core.http.stream cimport HttpWorkerC
from mesh_core.snapshot.tables cimport SnapshotC


# `next` is about to be the newest snapshot; the one before is still held.
cdef void clients_adopt(HttpWorkerC* worker, SnapshotC* next) noexcept nogil

# Close the idle clients of endpoints that their cluster wants no connections to.
cdef void clients_close_lost(HttpWorkerC* worker) noexcept nogil

# Close those that are idle.
cdef void clients_close_idle(HttpWorkerC* worker) noexcept nogil

"""How a worker takes over a new snapshot. Worker thread, no GIL."""

from mesh_core.snapshot.tables cimport SnapshotC
from mesh_core.worker.worker cimport WorkerC


# Work by `next` from now on. Relayed connections keep the snapshot that they began with, those of HTTP follow between
# two requests.
cdef void worker_adopt(WorkerC* worker, SnapshotC* next) noexcept nogil

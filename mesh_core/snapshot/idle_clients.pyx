"""The idle connections to one endpoint; the contract stands in idle_clients.pxd."""

from libc.stdint cimport uint32_t
from mesh_core.runtime.memory cimport memory_alloc, memory_free


cdef class IdleClients:
    """Those of all workers."""

    def __cinit__(self, uint32_t workers):
        self.by_worker = <IdleClientsC*>memory_alloc(workers * sizeof(IdleClientsC))
        if self.by_worker == NULL:
            raise MemoryError()

    def __dealloc__(self):
        memory_free(self.by_worker)

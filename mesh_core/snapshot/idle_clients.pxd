"""The idle connections to one endpoint that workers keep for requests; see mesh_core.http.pool."""

from mesh_core.snapshot.tables cimport IdleClientsC


cdef class IdleClients:
    """Those of all workers. Snapshots that have the endpoint keep it; the lists outlive each of them."""

    cdef object __weakref__
    cdef IdleClientsC* by_worker   # owned

"""Circuit breakers, as C structs. Control thread, with the GIL."""

from mesh_core.snapshot.tables cimport ClusterC


# Fill in the limits of each priority from a CircuitBreakers.
cdef compile_circuit_breakers(ClusterC* out, breakers)

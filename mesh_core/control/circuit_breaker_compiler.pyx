"""Circuit breakers, as C structs; the contract stands in circuit_breaker_compiler.pxd."""

from mesh_core.snapshot.tables cimport LimitsC
from mesh_core.upstream.endpoint_state cimport PRIORITY_DEFAULT, PRIORITY_HIGH


cdef compile_circuit_breakers(ClusterC* out, breakers):
    compile_limits(&out.limits[<int>PRIORITY_DEFAULT], breakers)
    compile_limits(&out.limits[<int>PRIORITY_HIGH], breakers.high)


cdef compile_limits(LimitsC* out, limits):
    out.max_connections = limits.max_connections
    out.max_pending = limits.max_pending_connections
    out.max_requests = limits.max_requests
    out.max_pending_requests = limits.max_pending_requests
    out.max_retries = limits.max_retries or 0

"""Which balancers there are. A new one is a unit of its own and one line here."""

from mesh_core.upstream.round_robin cimport ROUND_ROBIN


cdef const LoadBalancerC* load_balancer(str name) except NULL:
    if name == "round_robin":
        return &ROUND_ROBIN
    raise KeyError(name)

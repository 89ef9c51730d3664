"""Which balancers there are."""

from mesh_core.snapshot.tables cimport LoadBalancerC


# The balancer that the configuration calls `name`. Raises KeyError.
cdef const LoadBalancerC* load_balancer(str name) except NULL

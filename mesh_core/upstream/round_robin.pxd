"""Round robin: endpoints in turn, each worker starting at another one."""

from mesh_core.snapshot.tables cimport LoadBalancerC

cdef LoadBalancerC ROUND_ROBIN

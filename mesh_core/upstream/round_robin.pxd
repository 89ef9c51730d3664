"""Round robin: endpoints in turn, each worker starting at another one.

With unequal weights the turns are multiples of the golden ratio of the circle, on which each endpoint has an arc by its
weight: after n turns each has had its share of n, but for the logarithm of n at most, and the gaps between two turns of
one endpoint have at most three lengths (the three-distance theorem). That is as smooth as a schedule by earliest
deadline, without a heap.
"""

from mesh_core.snapshot.tables cimport LoadBalancerC

cdef LoadBalancerC ROUND_ROBIN

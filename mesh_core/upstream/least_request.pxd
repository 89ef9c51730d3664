"""Least request: of a few endpoints drawn at random, the one with the fewest connections, of all workers together.

With equal weights these are `choice_count`, two of them different (power of two choices). With unequal weights they are
drawn in proportion to their weights, and one of them is taken with a chance in proportion to 1/(active + 1)^bias: so
endpoints are chosen by Envoy's weight/(active + 1)^bias, as far as that many candidates can tell, in constant time.
"""

from mesh_core.snapshot.tables cimport LoadBalancerC

cdef LoadBalancerC LEAST_REQUEST

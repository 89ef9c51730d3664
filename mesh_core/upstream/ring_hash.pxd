"""Ring hash: endpoints have points on a ring in proportion to their weights; a hash belongs to the next point.

Points are XXH64 of the endpoint's name, "_" and a number, and their count is found as Envoy finds it (ring_hash_lb.cc):
so many that the lightest endpoint has a whole number of them and that there are `minimum_ring_size`, but at most
`maximum_ring_size`. Adding or removing one endpoint moves only the hashes that it gains or loses. A guide by the upper
bits of a hash leads to its place in constant time.

Endpoints that may not be picked are walked over: the hashes of each go to those that follow its points.
"""

from mesh_core.snapshot.tables cimport LoadBalancerC

cdef LoadBalancerC RING_HASH

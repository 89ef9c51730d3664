"""Maglev: a table in which endpoints take places in turn, each by its own preferences; a hash is a place in the table.

From "Maglev: A Fast and Reliable Software Network Load Balancer" (Eisenbud et al., NSDI 2016), section 3.4: the table
has a prime number of places, 65,537 by default; an endpoint's preferences begin at a hash of its name and go on by a
second one. With unequal weights, turns come in proportion to them, as in Envoy (maglev_lb.cc): the next turn has the
endpoint that would then be least ahead of its share.

Endpoints that may not be picked are walked over: neighbours in the table are as good as random, so the hashes of each
spread over all others.
"""

from mesh_core.snapshot.tables cimport LoadBalancerC

cdef LoadBalancerC MAGLEV

"""Which balancers there are. A new one is a unit of its own and two lines here."""

from mesh_core.upstream.least_request cimport LEAST_REQUEST
from mesh_core.upstream.maglev cimport MAGLEV
from mesh_core.upstream.peak_ewma cimport PEAK_EWMA
from mesh_core.upstream.random_choice cimport RANDOM
from mesh_core.upstream.ring_hash cimport RING_HASH
from mesh_core.upstream.round_robin cimport ROUND_ROBIN


cdef const LoadBalancerC* load_balancer(str name) except NULL:
    if name == "round_robin":
        return &ROUND_ROBIN
    if name == "least_request":
        return &LEAST_REQUEST
    if name == "random":
        return &RANDOM
    if name == "ring_hash":
        return &RING_HASH
    if name == "maglev":
        return &MAGLEV
    if name == "peak_ewma":
        return &PEAK_EWMA
    raise KeyError(name)

"""From the traffic policies of routes to their C structs. Control thread, with the GIL."""

from libc.stdint cimport uint64_t
from mesh_core.control.route_match_compiler cimport RouteMatchCompiler
from mesh_core.routing.fault cimport FaultC
from mesh_core.routing.mirror cimport MirrorsC
from mesh_core.routing.rate_limit cimport RateLimitC, RateLimitsC
from mesh_core.routing.route cimport RouteC
from mesh_core.snapshot.snapshot cimport Snapshot


# For all snapshots of one proxy: keeps what outlives them, as long as one of them has use for it.
cdef class PolicyCompiler:
    cdef object registry
    cdef object buckets        # RateBuckets of rules
    cdef object counts         # SharedCounts of faults and mirrors

    # Fill in the policies of `out`, in the memory of the matches' snapshot. `route`: a checked Route of the VirtualHost
    # `host`; `clusters`: as compile_route_action takes it. Raises MemoryError.
    cdef compile(self, RouteMatchCompiler matches, RouteC* out, host, route, dict clusters)

    cdef FaultC* fault(self, RouteMatchCompiler matches, settings) except NULL
    cdef RateLimitsC* rate_limits(self, RouteMatchCompiler matches, rules) except NULL
    cdef rate_limit(self, RouteMatchCompiler matches, RateLimitC* out, rule)
    cdef MirrorsC* mirrors(self, Snapshot snapshot, mirrors, dict clusters) except NULL
    cdef uint64_t* count(self, Snapshot snapshot, tuple key) except NULL
    cdef uint64_t** stats(self, Snapshot snapshot, str kind, str name) except NULL

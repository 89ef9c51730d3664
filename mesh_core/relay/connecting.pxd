"""Opening a connection to a cluster: an endpoint is picked and connected to, and another one when it fails.

Worker thread, no GIL.
"""

from mesh_core.relay.upstream cimport UpstreamC
from mesh_core.snapshot.tables cimport ClusterC, EndpointC


# Pick an endpoint of `cluster` and connect to it; `upstream.opened` or `upstream.failed` is called, perhaps at once.
# What the pick goes by has been set. What was there before has been closed.
cdef void upstream_open(UpstreamC* upstream, const ClusterC* cluster) noexcept nogil

# As upstream_open, but the first attempt is at `endpoint`.
cdef void upstream_open_to(UpstreamC* upstream, const ClusterC* cluster, EndpointC* endpoint) noexcept nogil

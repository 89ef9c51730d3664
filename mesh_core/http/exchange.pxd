"""Where events of HTTP connections come in: from the downstream, from clients, from time. Worker thread, no GIL."""

from mesh_core.http.stream cimport HttpWorkerC
from mesh_core.relay.connection cimport ConnectionC, ConnectionTableC


# Make the worker's clients tell what happens to them here.
cdef void exchange_init(HttpWorkerC* worker) noexcept nogil

# Speak HTTP with the downstream from now on, as the connection's filter chain says; TLS, if any, is established.
cdef void exchange_begin(ConnectionC* connection) noexcept nogil

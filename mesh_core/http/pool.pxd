"""Connections to endpoints that carry requests: opened, kept while idle, closed. Worker thread, no GIL.

Each worker has its own for each endpoint, the most recently used first. An idle client holds no snapshot: when a new
one comes, `clients_adopt` makes it point into that, or closes it.
"""

from mesh_core.http.stream cimport HttpClientC, HttpWorkerC, StreamC
from mesh_core.snapshot.tables cimport IdleClientsC, SnapshotC


# Give `stream` an idle client of its endpoint: stream.client. False when there is none.
cdef bint client_take_idle(StreamC* stream) noexcept nogil

# Its client is about to be sent a request: note what was sent and received before.
cdef void client_begin(HttpClientC* client) noexcept nogil

# Give it one that is being opened; the worker's handlers are told of it, perhaps at once, also that memory is
# exhausted.
cdef void client_open(StreamC* stream) noexcept nogil

# The stream's cluster has as many connections as it may have for its priority: close an idle one of those. False when
# this worker has none.
cdef bint client_make_room(StreamC* stream) noexcept nogil

# Its stream is over, in good order: keep it if it may be kept, else close it. stream.client becomes NULL.
cdef void client_give(HttpClientC* client) noexcept nogil

# Close it, whatever it does; its stream has none any more. The memory goes at the end of the turn.
cdef void client_close(HttpClientC* client, bint reset) noexcept nogil

# Forget it without closing its connection, which somebody else has taken over.
cdef void client_forget(HttpClientC* client) noexcept nogil

# Have the timer of an idle client fire no later than what it goes by says now.
cdef void client_bring_forward(HttpClientC* client) noexcept nogil

# Make it a client of the same endpoint in `snapshot`, whose `pool` that is; False when there is none that is spoken to
# alike.
cdef bint client_point_into(HttpClientC* client, const IdleClientsC* pool, const SnapshotC* snapshot) noexcept nogil

# Whether its cluster wants no connections to its endpoint any more.
cdef bint client_is_lost(const HttpClientC* client) noexcept nogil

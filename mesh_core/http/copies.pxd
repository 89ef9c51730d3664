"""Copies of requests on their way to the clusters that mirror them: sent, and their answers thrown away.

A copy is a stream of its own without a downstream. It begins in a later turn than the request's last byte came in, and
nothing of it is ever told to the request. Worker thread, no GIL.
"""

from mesh_core.http.stream cimport HttpWorkerC, StreamC


# Set the handlers of the clients that carry copies.
cdef void copies_init(HttpWorkerC* worker) noexcept nogil

# A head of `size` bytes is about to go upstream, and its body; the stream's route has mirrors: draw lots which of them
# get a copy, and have it kept in `stream.mirroring`.
cdef void copies_choose(StreamC* stream, size_t size) noexcept nogil

# All of the request has gone into `stream.mirroring`, or it was too long: the stream leaves it, and the copies are
# sent.
cdef void copies_begin(StreamC* stream) noexcept nogil

# End those that are under way.
cdef void copies_abort(HttpWorkerC* worker) noexcept nogil

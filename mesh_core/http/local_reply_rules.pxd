"""What the configuration makes of an answer of the proxy's own. Worker thread, no GIL."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from mesh_core.http.stream cimport StreamC
from mesh_core.http1.serialize cimport TextC
from mesh_core.snapshot.local_replies cimport LocalReplyC


# The first rule that fits the stream's answer, with its Detail and the stream's flags; NULL: none.
cdef const LocalReplyC* local_reply_find(const StreamC* stream, uint16_t status, uint16_t detail) noexcept nogil

# Write the rule's body to `out`, which holds LOCAL_REPLY_BYTES; its size. `status` is that of the answer as it goes,
# `body` what it would say without the rule.
cdef size_t local_reply_write(
    const LocalReplyC* rule, const StreamC* stream, uint16_t status, TextC body, uint8_t* out
) noexcept nogil

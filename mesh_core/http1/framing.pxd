"""Where a message ends and what becomes of its connection, by its head. Sans-I/O, no GIL.

RFC 9112, section 6.3 (body length) and 9 (connections); RFC 9110, sections 7.2 (Host), 7.6.1 (Connection), 7.8
(Upgrade), 8.6 (Content-Length) and 10.1.1 (Expect). Whatever could be read in two ways is an error; two sorts of
harmless excess are not: "Content-Length: 0" where nothing may be said of a length, and an Upgrade that Connection does
not name.
"""

from libc.stdint cimport uint8_t, uint64_t
from mesh_core.http1.grammar cimport SliceC
from mesh_core.http1.head cimport HeadC

cdef enum BodyKind:
    BODY_NONE
    BODY_LENGTH                # `length` bytes, which may be 0
    BODY_CHUNKED
    BODY_UNTIL_CLOSE           # only of responses
    BODY_TUNNEL                # no HTTP behind this response's head; only of responses

cdef enum:
    CONNECTION_OPTION_LIMIT = 32   # named by all Connection fields of one head


cdef struct FramingC:
    uint8_t body               # BodyKind
    bint keep_alive            # another message may follow on this connection
    bint is_interim            # a 1xx but 101: the same request's response is still to come
    bint has_upgrade           # a request asks for, or a 101 tells of, the protocols in `upgrade`
    bint expects_continue      # the downstream waits for a 100 before it sends the body
    bint states_length         # there is no body, but `length` says how long a GET's would have been (HEAD, 304)
    uint64_t length            # at most 2^63 - 1
    SliceC authority           # requests: the target's, else the Host field's value; empty when 1.0 has neither
    SliceC upgrade             # the Upgrade field's value


# Judge a complete request head; HTTP1_OK or an Http1Error. Fields that are for this connection only, and those that
# Connection names, become FIELD_REMOVED.
cdef int request_framing(HeadC* head, const uint8_t* data, FramingC* out) noexcept nogil

# Judge a complete response head; so too. `request_method` is an HttpMethod; `upgrade_asked`: the request that this
# answers was sent with an Upgrade field.
cdef int response_framing(
    HeadC* head, const uint8_t* data, int request_method, bint upgrade_asked, FramingC* out
) noexcept nogil

# Judge complete trailers; so too.
cdef int trailers_check(HeadC* trailers) noexcept nogil

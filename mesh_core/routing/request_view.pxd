"""What routing sees of a request, whatever version of HTTP it came in. Worker thread, no GIL."""

from libc.stdint cimport uint8_t, uint16_t
from mesh_core.http1.head cimport HeadC
from mesh_core.http1.serialize cimport TextC
from mesh_core.net.address cimport PeerAddressC


# All bytes are borrowed, for as long as the head is being looked at.
cdef struct RequestViewC:
    const HeadC* head          # its fields, in order
    const uint8_t* data        # what the head's slices count from
    uint8_t method_id          # HttpMethod
    TextC method
    TextC authority            # the host, with its port if it came with one; empty: HTTP/1.0 without Host
    TextC path                 # normalized, without the query; "*" of OPTIONS, empty of CONNECT
    TextC query                # without "?"
    bint has_query             # also when the query is empty
    bint secure                # the downstream speaks TLS: the request's scheme is https
    uint16_t local_port        # that the connection was made to; 0: a Unix socket
    const PeerAddressC* remote  # who sent it

"""Access records: written by a worker into its ring, turned into JSON lines on the control thread.

The worker copies a fixed struct and some texts, without formatting and without a system call.
"""

from libc.stdint cimport int64_t, uint16_t, uint32_t, uint64_t
from mesh_core.net.address cimport PeerAddressC
from mesh_core.runtime.ring cimport RingC

cdef enum:
    ACCESS_TEXT_LIMIT = 256    # bytes of each text that a record keeps


# The texts of a record, in this order behind it, without NUL; one that is empty is absent.
cdef enum:
    TEXT_LISTENER
    TEXT_CLUSTER
    TEXT_ENDPOINT
    TEXT_REQUESTED_SERVER_NAME
    TEXT_DOWNSTREAM_TLS_VERSION
    TEXT_DOWNSTREAM_TLS_CIPHER
    TEXT_DOWNSTREAM_PEER_IDENTITY
    TEXT_DOWNSTREAM_FAILURE    # of the transport
    TEXT_UPSTREAM_TLS_VERSION
    TEXT_UPSTREAM_TLS_CIPHER
    TEXT_UPSTREAM_PEER_IDENTITY
    TEXT_UPSTREAM_FAILURE
    TEXT_COUNT


# What the ring carries.
cdef struct AccessRecordC:
    uint64_t connection_id
    int64_t start_time_us      # since the Unix epoch
    int64_t duration_us
    int64_t connect_time_us    # of the attempt that succeeded; -1 when none did
    uint64_t bytes_received    # from downstream
    uint64_t bytes_sent        # to downstream
    uint32_t flags             # ResponseFlag bits
    uint16_t detail            # Detail
    uint16_t error             # errno of the last failed connect, or 0
    uint16_t attempts          # to connect to an endpoint
    PeerAddressC downstream_remote
    PeerAddressC downstream_local
    PeerAddressC upstream_local
    uint16_t text_sizes[TEXT_COUNT]


# Take records out of the ring as JSON lines: some of them, b"" when there are none. Consumer's thread, with the GIL.
# Raises MemoryError.
cdef bytes collect_access_log(RingC* ring)

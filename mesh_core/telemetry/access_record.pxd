"""What a worker's ring carries to the access log: a record of each connection and request that has ended, as numbers
and texts, without any formatting.
"""

from libc.stdint cimport int16_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset, strlen
from mesh_core.net.address cimport PeerAddressC

cdef enum:
    ACCESS_TEXT_LIMIT = 256    # bytes of each text that a record keeps, but for the path
    ACCESS_PATH_LIMIT = 1024

# The first word of every record in the ring.
cdef enum AccessKind:
    ACCESS_CONNECTION
    ACCESS_REQUEST

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
    TEXT_COUNT                 # of a connection; a request has more
    TEXT_ROUTE = TEXT_COUNT
    TEXT_VIRTUAL_HOST
    TEXT_TRACE_ID
    TEXT_SPAN_ID
    TEXT_TRACE_SAMPLED
    TEXT_METHOD                # from here on those that are captured from the request's head
    TEXT_PATH                  # as it came, with its query
    TEXT_AUTHORITY
    TEXT_USER_AGENT
    TEXT_REQUEST_ID
    TEXT_X_FORWARDED_FOR
    REQUEST_TEXT_COUNT

cdef enum Protocol:
    PROTOCOL_NONE              # no request line was understood
    PROTOCOL_HTTP_1_0
    PROTOCOL_HTTP_1_1
    PROTOCOL_HTTP_2
    PROTOCOL_COUNT


# Texts that live somewhere else, before they are copied behind a record. Zeroed first.
cdef struct AccessTextsC:
    const char* texts[REQUEST_TEXT_COUNT]
    uint16_t sizes[REQUEST_TEXT_COUNT]
    uint32_t total             # bytes


cdef inline void access_text_add(AccessTextsC* texts, int which, const char* text, size_t size) noexcept nogil:
    texts.texts[which] = text
    texts.sizes[which] = <uint16_t>min(size, <size_t>(ACCESS_PATH_LIMIT if which == TEXT_PATH else ACCESS_TEXT_LIMIT))
    texts.total += texts.sizes[which]


# NULL is no text.
cdef inline void access_text_add_static(AccessTextsC* texts, int which, const char* text) noexcept nogil:
    if text != NULL:
        access_text_add(texts, which, text, strlen(text))


# A connection's record; its texts follow.
cdef struct AccessRecordC:
    uint32_t kind              # ACCESS_CONNECTION
    uint32_t flags             # ResponseFlag bits
    uint64_t connection_id
    int64_t start_time_us      # since the Unix epoch
    int64_t duration_us
    int64_t connect_time_us    # of the attempt that succeeded; -1 when none did
    uint64_t bytes_received    # from downstream
    uint64_t bytes_sent        # to downstream
    uint16_t detail            # Detail
    uint16_t error             # errno of the last failed connect, or 0
    uint16_t attempts          # to connect to an endpoint
    PeerAddressC downstream_remote
    PeerAddressC downstream_local
    PeerAddressC upstream_local
    uint16_t text_sizes[TEXT_COUNT]


# The numbers of a request, which its stream fills in while it goes. Owner: the stream. Times are of the monotonic clock
# but for the first; one of 0 has not been reached. Begin with request_record_begin.
cdef struct RequestRecordC:
    int64_t start_time_us      # since the Unix epoch, of the request's first byte
    int64_t received_us        # its first byte
    int64_t received_end_us    # its last byte
    int64_t upstream_sent_us   # the first byte that went upstream
    int64_t upstream_sent_end_us
    int64_t responded_us       # the first byte of the upstream's response
    int64_t responded_end_us
    int64_t sent_us            # the first byte of the response that went downstream
    int64_t ended_us           # the stream's end
    int64_t connect_time_us    # of the upstream connection, if it was made for this request; else -1
    uint64_t connection_id     # of the downstream connection
    uint64_t bytes_received    # of the request's body, from downstream
    uint64_t bytes_sent        # of the response's body, to downstream
    uint64_t header_bytes_received
    uint64_t header_bytes_sent
    uint32_t flags             # ResponseFlag bits
    uint16_t status            # that was sent downstream; 0: none
    uint16_t detail            # Detail: where the response is from, or why it failed
    uint16_t termination       # Detail: why the downstream connection ended, if that ended the request
    uint16_t error             # errno of the last failed connect, or 0
    int16_t codec_error        # Http1Error for which the request or the response was refused, or 0
    uint16_t attempts          # to send it upstream
    uint8_t protocol           # Protocol
    uint8_t method_id          # HttpMethod
    PeerAddressC downstream_remote
    PeerAddressC downstream_local
    PeerAddressC upstream_local


cdef inline void request_record_begin(
    RequestRecordC* record, uint64_t connection_id, int64_t wall_us, int64_t monotonic_us
) noexcept nogil:
    # The addresses stand last, and are filled in when the record is written.
    memset(record, 0, <char*>&record.downstream_remote - <char*>record)
    record.start_time_us = wall_us
    record.received_us = monotonic_us
    record.connect_time_us = -1
    record.connection_id = connection_id


# A text of a header field that a format asks for, behind a request's record.
cdef struct ExtraTextC:
    uint32_t key               # of the field: header_key
    uint16_t size
    uint16_t at                # in the capture's bytes; without a meaning in the ring


# A request's record in the ring. Behind it: the extra texts' entries, the texts, the extra texts.
cdef struct RequestEntryC:
    uint32_t kind              # ACCESS_REQUEST
    uint16_t extra_count
    uint16_t text_sizes[REQUEST_TEXT_COUNT]
    RequestRecordC record

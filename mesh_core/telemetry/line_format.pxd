"""Lines of the access log by a list of operations. Control thread, no GIL."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from mesh_core.telemetry.line_writer cimport OutC

cdef enum Operator:
    OPERATOR_NONE              # only a literal
    OPERATOR_TEXT
    OPERATOR_EXTRA
    OPERATOR_START_TIME
    OPERATOR_PROTOCOL
    OPERATOR_STATUS
    OPERATOR_DETAILS
    OPERATOR_TERMINATION
    OPERATOR_FLAGS
    OPERATOR_UPSTREAM_FAILURE
    OPERATOR_UPSTREAM_LOCAL
    OPERATOR_UPSTREAM_LOCAL_HOST
    OPERATOR_UPSTREAM_LOCAL_PORT
    OPERATOR_DOWNSTREAM_REMOTE
    OPERATOR_DOWNSTREAM_REMOTE_HOST
    OPERATOR_DOWNSTREAM_REMOTE_PORT
    OPERATOR_DOWNSTREAM_LOCAL
    OPERATOR_DOWNSTREAM_LOCAL_HOST
    OPERATOR_DOWNSTREAM_LOCAL_PORT
    OPERATOR_BYTES_RECEIVED    # from here on numbers
    OPERATOR_BYTES_SENT
    OPERATOR_HEADER_BYTES_RECEIVED
    OPERATOR_HEADER_BYTES_SENT
    OPERATOR_CONNECTION_ID
    OPERATOR_ATTEMPTS
    OPERATOR_DURATION          # from here on times in milliseconds, which may be absent
    OPERATOR_REQUEST_DURATION
    OPERATOR_REQUEST_TX_DURATION
    OPERATOR_RESPONSE_DURATION
    OPERATOR_RESPONSE_TX_DURATION
    OPERATOR_CONNECT_TIME
    OPERATOR_SERVICE_TIME


# One value of a line and the literal text before it. Owner: AccessFormat.
cdef struct OperationC:
    const char* literal
    uint32_t literal_size
    uint16_t limit             # bytes of a text
    uint8_t operator           # Operator
    uint8_t style              # LineStyle
    uint8_t text               # of OPERATOR_TEXT: which
    bint optional              # left out with its literal when there is no value
    uint32_t key               # of OPERATOR_EXTRA: header_key
    uint32_t seen_at           # where that was found last among a record's extra texts
    const OperationC* alternate  # in place of an absent value; NULL: there is none


cdef struct LineFormatC:
    OperationC* operations
    uint32_t count


# Append the line of a record of the ring, by the format of its kind. There is room for the longest.
cdef void put_record(
    OutC* out, const void* record, const LineFormatC* connection, const LineFormatC* request
) noexcept nogil

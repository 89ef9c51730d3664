"""Access records as lines; the contract stands in access_log.pxd."""

from typing import NamedTuple

from libc.stdint cimport uint8_t, uint32_t
from mesh_core.runtime.memory cimport memory_alloc, memory_free
from mesh_core.runtime.ring cimport ring_consume, ring_peek
from mesh_core.telemetry.access_record cimport (
    ACCESS_PATH_LIMIT, ACCESS_TEXT_LIMIT, TEXT_AUTHORITY, TEXT_CLUSTER, TEXT_DOWNSTREAM_FAILURE,
    TEXT_DOWNSTREAM_PEER_IDENTITY, TEXT_DOWNSTREAM_TLS_CIPHER, TEXT_DOWNSTREAM_TLS_VERSION, TEXT_ENDPOINT,
    TEXT_LISTENER, TEXT_METHOD, TEXT_PATH, TEXT_REQUESTED_SERVER_NAME, TEXT_REQUEST_ID, TEXT_ROUTE,
    TEXT_SPAN_ID, TEXT_TRACE_ID, TEXT_TRACE_SAMPLED, TEXT_UPSTREAM_FAILURE, TEXT_UPSTREAM_PEER_IDENTITY,
    TEXT_UPSTREAM_TLS_CIPHER, TEXT_UPSTREAM_TLS_VERSION,
    TEXT_USER_AGENT, TEXT_VIRTUAL_HOST, TEXT_X_FORWARDED_FOR,
)
from mesh_core.telemetry.line_format cimport (
    OPERATOR_NONE, OPERATOR_TEXT, OPERATOR_EXTRA, OPERATOR_START_TIME, OPERATOR_PROTOCOL, OPERATOR_STATUS,
    OPERATOR_DETAILS, OPERATOR_TERMINATION, OPERATOR_FLAGS, OPERATOR_UPSTREAM_FAILURE, OPERATOR_UPSTREAM_LOCAL,
    OPERATOR_UPSTREAM_LOCAL_HOST, OPERATOR_UPSTREAM_LOCAL_PORT, OPERATOR_DOWNSTREAM_REMOTE,
    OPERATOR_DOWNSTREAM_REMOTE_HOST, OPERATOR_DOWNSTREAM_REMOTE_PORT, OPERATOR_DOWNSTREAM_LOCAL,
    OPERATOR_DOWNSTREAM_LOCAL_HOST, OPERATOR_DOWNSTREAM_LOCAL_PORT, OPERATOR_BYTES_RECEIVED, OPERATOR_BYTES_SENT,
    OPERATOR_HEADER_BYTES_RECEIVED, OPERATOR_HEADER_BYTES_SENT, OPERATOR_CONNECTION_ID, OPERATOR_ATTEMPTS,
    OPERATOR_DURATION, OPERATOR_REQUEST_DURATION, OPERATOR_REQUEST_TX_DURATION, OPERATOR_RESPONSE_DURATION,
    OPERATOR_RESPONSE_TX_DURATION, OPERATOR_CONNECT_TIME, OPERATOR_SERVICE_TIME, OperationC,
    put_record,
)
from mesh_core.telemetry.line_writer cimport STYLE_JSON_PART, STYLE_JSON_VALUE, STYLE_TEXT
from mesh_core.telemetry.request_capture cimport header_key

cdef enum:
    BATCH_BYTES = 1 << 18      # lines that are collected at a time, before the last one

STYLES = {"json_value": STYLE_JSON_VALUE, "json_part": STYLE_JSON_PART, "text": STYLE_TEXT}

cdef dict TEXTS = {
    "LISTENER_NAME": TEXT_LISTENER, "UPSTREAM_CLUSTER": TEXT_CLUSTER, "UPSTREAM_HOST": TEXT_ENDPOINT,
    "REQUESTED_SERVER_NAME": TEXT_REQUESTED_SERVER_NAME, "DOWNSTREAM_TLS_VERSION": TEXT_DOWNSTREAM_TLS_VERSION,
    "DOWNSTREAM_TLS_CIPHER": TEXT_DOWNSTREAM_TLS_CIPHER, "DOWNSTREAM_PEER_URI_SAN": TEXT_DOWNSTREAM_PEER_IDENTITY,
    "DOWNSTREAM_TRANSPORT_FAILURE_REASON": TEXT_DOWNSTREAM_FAILURE, "UPSTREAM_TLS_VERSION": TEXT_UPSTREAM_TLS_VERSION,
    "UPSTREAM_TLS_CIPHER": TEXT_UPSTREAM_TLS_CIPHER, "UPSTREAM_PEER_URI_SAN": TEXT_UPSTREAM_PEER_IDENTITY,
    "ROUTE_NAME": TEXT_ROUTE, "VIRTUAL_HOST_NAME": TEXT_VIRTUAL_HOST, "METHOD": TEXT_METHOD, "PATH": TEXT_PATH,
    "AUTHORITY": TEXT_AUTHORITY, "USER_AGENT": TEXT_USER_AGENT, "REQUEST_ID": TEXT_REQUEST_ID,
    "X_FORWARDED_FOR": TEXT_X_FORWARDED_FOR, "TRACE_ID": TEXT_TRACE_ID, "SPAN_ID": TEXT_SPAN_ID,
    "TRACE_SAMPLED": TEXT_TRACE_SAMPLED,
}

cdef dict OPERATORS = {
    "": OPERATOR_NONE, "START_TIME": OPERATOR_START_TIME, "PROTOCOL": OPERATOR_PROTOCOL,
    "RESPONSE_CODE": OPERATOR_STATUS, "RESPONSE_CODE_DETAILS": OPERATOR_DETAILS,
    "CONNECTION_TERMINATION_DETAILS": OPERATOR_TERMINATION, "RESPONSE_FLAGS": OPERATOR_FLAGS,
    "UPSTREAM_TRANSPORT_FAILURE_REASON": OPERATOR_UPSTREAM_FAILURE,
    "UPSTREAM_LOCAL_ADDRESS": OPERATOR_UPSTREAM_LOCAL,
    "UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT": OPERATOR_UPSTREAM_LOCAL_HOST,
    "UPSTREAM_LOCAL_PORT": OPERATOR_UPSTREAM_LOCAL_PORT,
    "DOWNSTREAM_REMOTE_ADDRESS": OPERATOR_DOWNSTREAM_REMOTE,
    "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT": OPERATOR_DOWNSTREAM_REMOTE_HOST,
    "DOWNSTREAM_REMOTE_PORT": OPERATOR_DOWNSTREAM_REMOTE_PORT,
    "DOWNSTREAM_LOCAL_ADDRESS": OPERATOR_DOWNSTREAM_LOCAL,
    "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT": OPERATOR_DOWNSTREAM_LOCAL_HOST,
    "DOWNSTREAM_LOCAL_PORT": OPERATOR_DOWNSTREAM_LOCAL_PORT,
    "BYTES_RECEIVED": OPERATOR_BYTES_RECEIVED, "BYTES_SENT": OPERATOR_BYTES_SENT,
    "DOWNSTREAM_HEADER_BYTES_RECEIVED": OPERATOR_HEADER_BYTES_RECEIVED,
    "DOWNSTREAM_HEADER_BYTES_SENT": OPERATOR_HEADER_BYTES_SENT, "CONNECTION_ID": OPERATOR_CONNECTION_ID,
    "UPSTREAM_REQUEST_ATTEMPT_COUNT": OPERATOR_ATTEMPTS, "DURATION": OPERATOR_DURATION,
    "REQUEST_DURATION": OPERATOR_REQUEST_DURATION, "REQUEST_TX_DURATION": OPERATOR_REQUEST_TX_DURATION,
    "RESPONSE_DURATION": OPERATOR_RESPONSE_DURATION, "RESPONSE_TX_DURATION": OPERATOR_RESPONSE_TX_DURATION,
    "UPSTREAM_CONNECT_TIME": OPERATOR_CONNECT_TIME, "UPSTREAM_SERVICE_TIME": OPERATOR_SERVICE_TIME,
}


class Piece(NamedTuple):
    """A literal text and the value behind it. `operator`: "" for none; else see mesh_core.config.access_log_format."""

    literal: bytes
    operator: str
    style: str
    field: str = ""
    limit: int = 0
    optional: bool = False
    alternate: "Piece | None" = None


cdef int compile_piece(OperationC* out, piece, list literals) except -1:
    cdef bytes literal = piece.literal
    cdef bytes field = piece.field.encode()
    literals.append(literal)
    out.literal = literal
    out.literal_size = <uint32_t>len(literal)
    out.style = STYLES[piece.style]
    out.optional = piece.optional
    out.limit = piece.limit or ACCESS_PATH_LIMIT
    if field:
        out.operator = OPERATOR_EXTRA
        out.key = header_key(field, len(field), piece.operator == "RESP")
    elif piece.operator in TEXTS:
        out.operator = OPERATOR_TEXT
        out.text = TEXTS[piece.operator]
    else:
        out.operator = OPERATORS[piece.operator]
        # The one text that words of our own may stand in for.
        out.text = TEXT_UPSTREAM_FAILURE
    return 0


cdef class AccessFormat:

    def __init__(self, list connection, list request):
        """`connection`, `request`: the Pieces of a line of either kind. Raises MemoryError."""
        self.literals = []
        self.compile(&self.connection, connection)
        self.compile(&self.request, request)
        self.out.data = <uint8_t*>memory_alloc(BATCH_BYTES + self.line_limit)
        # Of no record.
        self.out.second = -1
        if self.out.data == NULL:
            raise MemoryError()

    def __dealloc__(self):
        memory_free(self.connection.operations)
        memory_free(self.request.operations)
        memory_free(self.out.data)

    cdef int compile(self, LineFormatC* out, list pieces) except -1:
        cdef list alternates = [piece.alternate for piece in pieces if piece.alternate is not None]
        cdef uint32_t next_alternate = <uint32_t>len(pieces)
        cdef size_t line_limit = 0
        cdef uint32_t index
        # One more, because room for nothing may be NULL.
        out.operations = <OperationC*>memory_alloc((len(pieces) + len(alternates) + 1) * sizeof(OperationC))
        if out.operations == NULL:
            raise MemoryError()
        for index, piece in enumerate((*pieces, *alternates)):
            compile_piece(&out.operations[index], piece, self.literals)
            if piece.alternate is not None:
                out.operations[index].alternate = &out.operations[next_alternate]
                next_alternate += 1
            line_limit += longest(&out.operations[index])
        out.count = <uint32_t>len(pieces)
        self.line_limit = max(self.line_limit, line_limit)
        return 0

    cdef bytes collect(self, RingC* ring):
        cdef uint32_t size
        cdef const void* record
        cdef bytes lines
        with nogil:
            while self.out.size < BATCH_BYTES:
                record = ring_peek(ring, &size)
                if record == NULL:
                    break
                put_record(&self.out, record, &self.connection, &self.request)
                ring_consume(ring)
        lines = self.out.data[:self.out.size]
        self.out.size = 0
        return lines


cdef size_t longest(const OperationC* operation) noexcept nogil:
    """The most bytes that it writes: of a text every byte may become six (\\u00XX), and there are quotes."""
    cdef bint is_path = operation.operator == OPERATOR_TEXT and operation.text == TEXT_PATH
    return operation.literal_size + 6 * (ACCESS_PATH_LIMIT if is_path else ACCESS_TEXT_LIMIT) + 2

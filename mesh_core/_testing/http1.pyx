"""The HTTP/1 codec from Python; input lies in heap blocks of exactly its size."""

from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.string cimport memset
from mesh_core._testing.convert cimport exact_copy
cimport mesh_core.http1.chunked as chunked
cimport mesh_core.http1.errors as errors
cimport mesh_core.http1.framing as framing
cimport mesh_core.http1.grammar as grammar
cimport mesh_core.http1.head as head
cimport mesh_core.http1.limits as limits
cimport mesh_core.http1.method as method
cimport mesh_core.http1.path as path
cimport mesh_core.http1.serialize as serialize
cimport mesh_core.http1.target as target
from mesh_core.runtime.memory cimport memory_alloc, memory_free

METHODS = {
    b"GET": method.METHOD_GET, b"HEAD": method.METHOD_HEAD, b"POST": method.METHOD_POST, b"PUT": method.METHOD_PUT,
    b"DELETE": method.METHOD_DELETE, b"CONNECT": method.METHOD_CONNECT, b"OPTIONS": method.METHOD_OPTIONS,
    b"TRACE": method.METHOD_TRACE, b"PATCH": method.METHOD_PATCH,
}
FORMS = {
    target.TARGET_ORIGIN: "origin", target.TARGET_ABSOLUTE: "absolute", target.TARGET_AUTHORITY: "authority",
    target.TARGET_ASTERISK: "asterisk",
}
BODIES = {
    framing.BODY_NONE: "none", framing.BODY_LENGTH: "length", framing.BODY_CHUNKED: "chunked",
    framing.BODY_UNTIL_CLOSE: "until_close", framing.BODY_TUNNEL: "tunnel",
}
CONNECTIONS = {
    "": serialize.CONNECTION_UNSAID, "close": serialize.CONNECTION_CLOSE,
    "keep-alive": serialize.CONNECTION_KEEP_ALIVE, "upgrade": serialize.CONNECTION_UPGRADE,
}
ESCAPED_SLASHES = {
    "keep": path.ESCAPED_SLASHES_KEEP, "refuse": path.ESCAPED_SLASHES_REFUSE,
    "redirect": path.ESCAPED_SLASHES_REDIRECT, "decode": path.ESCAPED_SLASHES_DECODE,
}
PATH_VERDICTS = {path.PATH_SAME: "same", path.PATH_CHANGED: "changed", path.PATH_REDIRECT: "redirect"}
ERRORS = {
    errors.http1_error_text(-number).decode(): errors.http1_error_status(-number)
    for number in range(errors.HTTP1_ERROR_COUNT)
}


class Refused(Exception):
    """What the codec found wrong; its only argument is the error's text."""


cdef object refused(int error):
    return Refused(errors.http1_error_text(error).decode())


cdef limits.Http1LimitsC limits_of(dict given):
    cdef limits.Http1LimitsC out
    limits.http1_limits_default(&out)
    out.head_bytes = given.get("head_bytes", out.head_bytes)
    out.start_line_bytes = given.get("start_line_bytes", out.start_line_bytes)
    out.field_count = given.get("field_count", out.field_count)
    out.chunk_line_bytes = given.get("chunk_line_bytes", out.chunk_line_bytes)
    out.chunk_extension_bytes = given.get("chunk_extension_bytes", out.chunk_extension_bytes)
    return out


cdef class Head:
    """A head that is fed piece by piece; each time the buffer is another block of memory."""

    cdef head.HeadC c
    cdef framing.FramingC framing
    cdef limits.Http1LimitsC limits
    cdef bytes data
    cdef uint8_t* block

    def __cinit__(self, str kind, **limits):
        kinds = {"request": head.HEAD_REQUEST, "response": head.HEAD_RESPONSE, "trailers": head.HEAD_TRAILERS}
        self.limits = limits_of(limits)
        self.data = b""
        fields = <head.FieldC*>memory_alloc(max(1, self.limits.field_count) * sizeof(head.FieldC))
        if fields == NULL:
            raise MemoryError()
        head.head_begin(&self.c, kinds[kind], fields)

    def __dealloc__(self):
        memory_free(self.c.fields)
        memory_free(self.block)

    def feed(self, bytes more):
        """Return whether the head is complete; raises Refused."""
        cdef int verdict
        memory_free(self.block)
        self.block = NULL
        self.data += more
        self.block = exact_copy(self.data)
        verdict = head.head_parse(&self.c, self.block, len(self.data), &self.limits)
        if verdict < 0:
            raise refused(verdict)
        return verdict == head.HEAD_COMPLETE

    cdef bytes text(self, grammar.SliceC slice):
        return self.data[slice.at:slice.at + slice.size]

    cdef serialize.TextC text_or(self, bytes given, grammar.SliceC slice):
        return serialize.TextC(self.block + slice.at, slice.size) if given is None else text_of(given)

    @property
    def size(self):
        return self.c.bytes

    @property
    def scanned(self):
        return self.c.scan_at

    @property
    def fields(self):
        """Names and values as received."""
        return [(self.text(self.c.fields[i].name), self.text(self.c.fields[i].value))
                for i in range(self.c.field_count)]

    @property
    def kept(self):
        """So too, without those that end here."""
        return [field for i, field in enumerate(self.fields) if not self.c.fields[i].flags & head.FIELD_REMOVED]

    @property
    def start(self):
        """What the start line says, as a dictionary."""
        found = {"version": f"1.{self.c.minor_version}"}
        if self.c.kind == head.HEAD_RESPONSE:
            return found | {"status": self.c.status, "reason": self.text(self.c.reason)}
        return found | {
            "method": self.text(self.c.method),
            "method_id": self.c.method_id,
            "target": self.text(self.c.whole_target),
            "form": FORMS[self.c.target.form],
            "scheme": self.text(self.c.target.scheme),
            "target_authority": self.text(self.c.target.authority),
            "path": self.text(self.c.target.path),
            "query": self.text(self.c.target.query) if self.c.target.has_query else None,
        }

    def judge(self, bytes request_method=b"GET", bint upgrade_asked=False):
        """What the head says of body and connection, as a dictionary; raises Refused."""
        cdef int error
        if self.c.kind == head.HEAD_TRAILERS:
            error = framing.trailers_check(&self.c)
        elif self.c.kind == head.HEAD_REQUEST:
            error = framing.request_framing(&self.c, self.block, &self.framing)
        else:
            error = framing.response_framing(
                &self.c, self.block, METHODS.get(request_method, 0), upgrade_asked, &self.framing)
        if error:
            raise refused(error)
        return {
            "body": BODIES[self.framing.body],
            "length": self.framing.length,
            "keep_alive": bool(self.framing.keep_alive),
            "is_interim": bool(self.framing.is_interim),
            "upgrade": self.text(self.framing.upgrade) if self.framing.has_upgrade else None,
            "expects_continue": bool(self.framing.expects_continue),
            "states_length": bool(self.framing.states_length),
            "authority": self.text(self.framing.authority),
        }

    def write(self, bytes first=None, bytes second=None, added=(), connection=None, body=None,
              length=None, status=None, capacity=65536):
        """Write a judged head anew; `first` and `second` are target and authority, or (first) the reason: by default
        those of the head, where they stand in it."""
        cdef serialize.OutputC output
        cdef serialize.AddedFieldC[80] fields
        cdef uint8_t* out = <uint8_t*>memory_alloc(max(1, capacity))
        cdef int64_t count
        pairs = list(added)
        memset(&output, 0, sizeof(output))
        output.body = self.framing.body if body is None else {name: id for id, name in BODIES.items()}[body]
        output.length = self.framing.length if length is None else length
        output.states_length = self.framing.states_length
        if connection is None:
            connection = "upgrade" if self.framing.has_upgrade else "" if self.framing.keep_alive else "close"
        output.connection = CONNECTIONS[connection]
        for i, (name, value) in enumerate(pairs):
            fields[i].name = text_of(name)
            fields[i].value = text_of(value)
        output.added, output.added_count = fields, len(pairs)
        if self.c.kind == head.HEAD_TRAILERS:
            count = serialize.trailers_write(&self.c, self.block, out, capacity)
        elif self.c.kind == head.HEAD_REQUEST:
            count = serialize.request_write(
                &self.c, self.block, self.text_or(first, self.c.whole_target),
                self.text_or(second, self.framing.authority), &output, out, capacity)
        else:
            status = self.c.status if status is None else status
            count = serialize.response_write(
                &self.c, self.block, status, self.text_or(first, self.c.reason), &output, out, capacity)
        written = out[:count] if count >= 0 else b""
        memory_free(out)
        if count < 0:
            raise refused(<int>count)
        return written


cdef serialize.TextC text_of(bytes text):
    return serialize.TextC(<const uint8_t*><const char*>text, len(text))


cdef class Chunks:
    """A chunked body that is fed piece by piece."""

    cdef chunked.ChunkedC c
    cdef limits.Http1LimitsC limits
    cdef readonly bytes body
    cdef readonly size_t taken
    cdef readonly bint ended

    def __cinit__(self, **limits):
        self.limits = limits_of(limits)
        self.body = b""

    def feed(self, bytes more):
        """Return how much of `more` belongs to the chunks; raises Refused."""
        cdef uint8_t* block = exact_copy(more)
        cdef size_t at = 0, taken, body_bytes
        cdef int step = 0
        try:
            while at < <size_t>len(more) and not self.ended:
                step = chunked.chunked_step(&self.c, block + at, len(more) - at, &self.limits, &taken, &body_bytes)
                if step < 0:
                    raise refused(step)
                at += taken
                self.body += more[at - body_bytes:at]
                self.ended = step == chunked.CHUNKED_LAST
        finally:
            memory_free(block)
        self.taken += at
        return at


def chunk_head(size):
    cdef uint8_t[chunked.CHUNK_HEAD_BYTES] out
    return out[:chunked.chunk_head_write(out, size)]


def normalize_path(bytes text, bint normalize=True, bint merge_slashes=False, escaped_slashes="keep"):
    """A word of PATH_VERDICTS, and the new path; raises Refused."""
    cdef path.PathOptionsC options = path.PathOptionsC(normalize, merge_slashes, ESCAPED_SLASHES[escaped_slashes])
    cdef uint8_t* block = exact_copy(text)
    cdef uint8_t* out = exact_copy(text)
    cdef size_t size = 0
    cdef int verdict
    try:
        verdict = path.path_normalize(&options, block, len(text), out, &size)
        if verdict < 0:
            raise refused(verdict)
        return PATH_VERDICTS[verdict], out[:size]
    finally:
        memory_free(block)
        memory_free(out)


def authority_is_valid(bytes text, bint needs_port=False):
    cdef uint8_t* block = exact_copy(text)
    valid = bool(target.authority_is_valid(block, grammar.SliceC(0, <uint32_t>len(text)), needs_port))
    memory_free(block)
    return valid


def character_class(name):
    """The set of bytes that are of a class."""
    classes = {"tchar": grammar.CLASS_TCHAR, "path": grammar.CLASS_PATH, "query": grammar.CLASS_QUERY,
               "unreserved": grammar.CLASS_UNRESERVED, "control": grammar.CLASS_CONTROL}
    return {byte for byte in range(256) if grammar.is_of(byte, classes[name])}


def find_control(bytes text, size_t at=0):
    cdef uint8_t* block = exact_copy(text)
    found = grammar.find_control(block, at, len(text))
    memory_free(block)
    return found

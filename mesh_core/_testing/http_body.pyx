"""Bodies on their way, and bytes that wait, from Python; input lies in heap blocks of exactly its size."""

from libc.stdint cimport uint8_t
from libc.string cimport memset
from mesh_core._testing.convert cimport exact_copy
cimport mesh_core.http.body as body
cimport mesh_core.http.input as input
cimport mesh_core.http1.errors as errors
cimport mesh_core.http1.framing as framing
cimport mesh_core.http1.head as head
cimport mesh_core.http1.limits as limits
from mesh_core.runtime.memory cimport memory_alloc, memory_free

from mesh_core._testing.http1 import Refused

KINDS = {
    "none": framing.BODY_NONE, "length": framing.BODY_LENGTH, "chunked": framing.BODY_CHUNKED,
    "until_close": framing.BODY_UNTIL_CLOSE,
}
HEADS = {"request": head.HEAD_REQUEST, "response": head.HEAD_RESPONSE, "trailers": head.HEAD_TRAILERS}


cdef object refused(int error):
    return Refused(errors.http1_error_text(error).decode())


cdef class Body:
    """A body that comes as `kind` and goes as `written`; `out` is what was to be sent so far."""

    cdef body.BodyC c
    cdef limits.Http1LimitsC limits
    cdef readonly bytes out

    def __cinit__(self, str kind, str written, length=0, chunk_line_bytes=None):
        limits.http1_limits_default(&self.limits)
        if chunk_line_bytes is not None:
            self.limits.chunk_line_bytes = chunk_line_bytes
        self.out = b""
        body.body_begin(&self.c, KINDS[kind], length, KINDS[written])

    def feed(self, bytes data):
        """Return how much of `data` belongs to the body; raises Refused."""
        cdef uint8_t* block = exact_copy(data)
        cdef uint8_t* room = <uint8_t*>memory_alloc(len(data) + body.BODY_ROOM_MORE)
        cdef const uint8_t* out
        cdef size_t taken, out_bytes
        cdef int error = body.body_take(&self.c, &self.limits, block, len(data), &taken, room, &out, &out_bytes)
        self.out += out[:out_bytes]
        memory_free(room)
        memory_free(block)
        if error:
            raise refused(error)
        return taken

    def source_ended(self):
        return bool(body.body_source_ended(&self.c))

    def end(self):
        """What ends it behind `out`."""
        cdef uint8_t[body.BODY_ROOM_MORE] out
        return out[:body.body_end_write(&self.c, out)]

    @property
    def ended(self):
        return bool(self.c.ended)

    @property
    def in_trailers(self):
        return bool(self.c.in_trailers)

    @property
    def content_bytes(self):
        return self.c.bytes


cdef class Input:
    """Bytes of a peer that wait."""

    cdef input.InputC c
    cdef limits.Http1LimitsC limits
    cdef head.FieldC* fields
    cdef head.HeadC scratch

    def __cinit__(self):
        limits.http1_limits_default(&self.limits)
        self.fields = <head.FieldC*>memory_alloc(self.limits.field_count * sizeof(head.FieldC))
        if self.fields == NULL:
            raise MemoryError()

    def __dealloc__(self):
        input.input_clear(&self.c)
        memory_free(self.fields)

    def head(self, str kind, bytes data):
        """Go on with a head. None while it is incomplete; else it, as bytes, and its fields, and what follows it is
        kept. Raises Refused."""
        cdef uint8_t* block = exact_copy(data)
        cdef const uint8_t* begin = block
        cdef size_t size = len(data)
        cdef head.HeadC* found
        cdef int verdict
        # What was there of an earlier head is of no consequence.
        memset(&self.scratch, 0xFF, sizeof(head.HeadC))
        try:
            verdict = input.input_head(
                &self.c, HEADS[kind], &self.limits, self.fields, &self.scratch, &begin, &size, &found)
            if verdict == input.INPUT_NO_MEMORY:
                raise MemoryError()
            if verdict < 0:
                raise refused(verdict)
            if verdict == head.HEAD_INCOMPLETE:
                return None
            text = begin[:found.bytes]
            fields = [(slice_of(begin, found.fields[i].name), slice_of(begin, found.fields[i].value))
                      for i in range(found.field_count)]
            if not input.input_rest(&self.c, begin + found.bytes, size - found.bytes):
                raise MemoryError()
            return text, fields
        finally:
            memory_free(block)

    def keep(self, bytes data):
        cdef uint8_t* block = exact_copy(data)
        kept = input.input_keep(&self.c, block, len(data))
        memory_free(block)
        if not kept:
            raise MemoryError()

    def drop(self, size_t size):
        """Keep only what stands behind the first `size` bytes."""
        if not input.input_rest(&self.c, self.c.data + size, self.c.size - size):
            raise MemoryError()

    def clear(self):
        input.input_clear(&self.c)

    @property
    def kept(self):
        return self.c.data[:self.c.size] if self.c.data != NULL else b""

    @property
    def has_memory(self):
        return self.c.data != NULL or self.c.head != NULL


cdef bytes slice_of(const uint8_t* data, head.SliceC slice):
    return data[slice.at:slice.at + slice.size]

"""HTTP/1.1 as the load and the origins read it: strict, incremental, and another program than the proxy's own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

_HEAD_LIMIT = 65_536


class WireError(Exception):
    """What came is not a message of HTTP/1.1 with a definite end."""


@dataclass(frozen=True)
class Head:
    """A start line, and fields by their names in lower case; of fields that repeat, the last."""

    start: bytes
    fields: dict[bytes, bytes]

    @property
    def number(self) -> int:
        """The number of the request that it belongs to; -1 when it names none."""
        text = self.fields.get(b"x-request-id", b"")
        return int(text) if text.isdigit() else -1

    @property
    def status(self) -> int:
        return int(self.start.split(b" ", 2)[1])

    @property
    def closes(self) -> bool:
        return b"close" in self.fields.get(b"connection", b"").lower()


@dataclass(frozen=True)
class Body:
    """The whole of a message's body: what ``feed`` gives behind a Head when the message is complete."""

    data: bytes


class Reader:
    """The messages on one side of a connection, in order. A message without a length has no body."""

    def __init__(self) -> None:
        self._input = bytearray()
        self._body = bytearray()
        self._left = 0  # bytes of the body, or of the chunk, to come
        self._step: Callable[[], Head | Body | tuple[()] | None] = self._head

    @property
    def between(self) -> bool:
        """Whether no message has begun."""
        return self._step == self._head and not self._input

    def feed(self, data: bytes) -> Iterator[Head | Body]:
        """Give what is complete with ``data``; raises WireError."""
        self._input += data
        while (found := self._step()) is not None:
            if found:
                yield found

    # Each step gives a Head or a Body, () when there is more to do, None when more must come first.

    def _head(self) -> Head | tuple[()] | None:
        end = self._input.find(b"\r\n\r\n")
        if end < 0:
            if len(self._input) > _HEAD_LIMIT:
                raise WireError("a head without an end")
            return None
        start, *lines = bytes(self._input[:end]).split(b"\r\n")
        del self._input[:end + 4]
        fields = {}
        for line in lines:
            name, colon, value = line.partition(b":")
            if not colon or name != name.strip():
                raise WireError(f"no field: {line!r}")
            fields[name.lower()] = value.strip()
        self._body = bytearray()
        self._frame(fields)
        return Head(start, fields)

    def _frame(self, fields: dict[bytes, bytes]) -> None:
        length, coding = fields.get(b"content-length"), fields.get(b"transfer-encoding")
        if length is not None and coding is not None:
            raise WireError("both Content-Length and Transfer-Encoding")
        if coding is not None:
            if coding.lower() != b"chunked":
                raise WireError(f"transfer coding {coding!r}")
            self._step = self._chunk_size
            return
        if length is not None and not length.isdigit():
            raise WireError(f"Content-Length {length!r}")
        self._left = int(length or 0)
        self._step = self._counted

    def _take(self) -> bool:
        part = self._input[:self._left]
        del self._input[:len(part)]
        self._body += part
        self._left -= len(part)
        return not self._left

    def _whole(self) -> Body:
        self._step = self._head
        return Body(bytes(self._body))

    def _counted(self) -> Body | None:
        return self._whole() if self._take() else None

    def _line(self) -> bytes | None:
        end = self._input.find(b"\r\n")
        if end < 0:
            if len(self._input) > _HEAD_LIMIT:
                raise WireError("a line without an end")
            return None
        line = bytes(self._input[:end])
        del self._input[:end + 2]
        return line

    def _chunk_size(self) -> tuple[()] | None:
        line = self._line()
        if line is None:
            return None
        try:
            self._left = int(line.partition(b";")[0], 16)
        except ValueError:
            raise WireError(f"chunk size {line!r}") from None
        self._step = self._chunk if self._left else self._trailers
        return ()

    def _chunk(self) -> tuple[()] | None:
        if not self._take():
            return None
        self._step = self._chunk_end
        return ()

    def _chunk_end(self) -> tuple[()] | None:
        line = self._line()
        if line is None:
            return None
        if line:
            raise WireError("a chunk longer than its size")
        self._step = self._chunk_size
        return ()

    def _trailers(self) -> Body | tuple[()] | None:
        line = self._line()
        if line is None:
            return None
        return () if line else self._whole()

"""What the load saw of each request, as it is kept in a file."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

_OUTCOME = struct.Struct("<IBBHQI")  # number, method, end, status, begun in monotonic µs, µs that it took


class Method(IntEnum):
    """GET and PUT may be sent again without asking, POST not."""

    GET = 1
    PUT = 2
    POST = 3

    @property
    def idempotent(self) -> bool:
        return self is not Method.POST


class End(IntEnum):
    """How a request ended, for who sent it."""

    ANSWERED = 1  # by 200, with the right bytes
    FAILED = 2  # by another status, of the proxy's own making
    PASSED_ON = 3  # by another status, which an origin gave
    CUT = 4  # the connection ended before the answer had
    REFUSED = 5  # there was no connection
    LATE = 6  # no answer in the time that the load waits
    WRONG = 7  # by bytes that are not what they should be, or are no HTTP
    LEFT = 8  # the load went away on purpose

    @property
    def failed(self) -> bool:
        return self not in (End.ANSWERED, End.LEFT)


@dataclass(frozen=True)
class Outcome:
    number: int
    method: Method
    end: End
    status: int
    begun_us: int
    took_us: int

    def pack(self) -> bytes:
        return _OUTCOME.pack(self.number, self.method, self.end, self.status, self.begun_us, self.took_us)

    @property
    def ended_us(self) -> int:
        return self.begun_us + self.took_us


def read(path: Path) -> Iterator[Outcome]:
    """Give the outcomes in a file, in the order in which the requests ended."""
    data = path.read_bytes()
    for number, method, end, *rest in _OUTCOME.iter_unpack(data[:len(data) // _OUTCOME.size * _OUTCOME.size]):
        yield Outcome(number, Method(method), End(end), *rest)

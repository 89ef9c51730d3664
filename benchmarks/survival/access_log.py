"""The proxy's own account of requests: a line for each, in a format that is quick to read."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FORMAT = ("%REQ(X-REQUEST-ID)% %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% "
          "%UPSTREAM_REQUEST_ATTEMPT_COUNT% %UPSTREAM_HOST%")


@dataclass(frozen=True)
class Record:
    """A line of the log; ``flags`` and ``details`` are empty where the proxy has nothing to tell."""

    number: int
    status: int
    flags: str
    details: str
    attempts: int
    upstream: str

    @property
    def cause(self) -> str:
        """Why it failed, in one word or two; empty when the proxy does not say."""
        return f"{self.flags} {self.details}".strip() if self.flags else ""


def read(path: Path) -> Iterator[Record]:
    """Give the records of requests that have a number."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            words = line.split()
            if len(words) == 6 and words[0].isdigit():
                number, status, flags, details, attempts, upstream = ("" if word == "-" else word for word in words)
                yield Record(int(number), int(status or 0), flags, details, int(attempts or 0), upstream)

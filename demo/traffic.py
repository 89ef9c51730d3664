"""What the demo sends: requests by curl, by the standard library where curl is missing."""

import http.client
import shutil
import subprocess
import time
import urllib.request
from collections import Counter
from pathlib import Path

CURL = shutil.which("curl")
LIMIT_S = 5


def get(address: str, path: str = "/") -> str:
    """Return the body of one GET on a new connection. Raises OSError or CalledProcessError."""
    url = f"http://{address}{path}"
    if CURL:
        options = ["--silent", "--show-error", "--fail", "--max-time", str(LIMIT_S), "--noproxy", "*"]
        return subprocess.run([CURL, *options, url], check=True, stdout=subprocess.PIPE, text=True).stdout
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=LIMIT_S) as answer:
        body: bytes = answer.read()
    return body.decode()


def count_answers(address: str, requests: int) -> Counter[str]:
    """Send requests, each on a new connection, and count the answers by what they say."""
    return Counter(get(address).strip() for _ in range(requests))


def wait_for_lines(file: Path, number: int) -> list[str]:
    """Return the file's lines once there are that many, or what there is after some seconds."""
    end = time.monotonic() + LIMIT_S
    while True:
        lines = file.read_text().splitlines() if file.exists() else []
        if len(lines) >= number or time.monotonic() > end:
            return lines
        time.sleep(0.05)


class LongConnection:
    """One connection that is kept, to see what a reload does to it."""

    def __init__(self, address: str) -> None:
        self._connection = http.client.HTTPConnection(address, timeout=LIMIT_S)

    def ask(self) -> str:
        """Send one more request on the same connection. Raises OSError when it was cut."""
        if self._connection.sock is None:
            self._connection.connect()
        # Without this, http.client would hide a cut connection by making a new one.
        self._connection.auto_open = 0
        self._connection.request("GET", "/")
        return self._connection.getresponse().read().decode().strip()

    def close(self) -> None:
        """Close it."""
        self._connection.close()

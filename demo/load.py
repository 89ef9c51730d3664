"""The demo's load: so many requests a second to one address, and how they were answered."""

import http.client
import threading
import time
from collections import Counter

LIMIT_S = 10
CONNECTIONS = 2


def get(address: str, path: str = "/") -> str:
    """The body of one GET on a new connection. Raises OSError."""
    connection = http.client.HTTPConnection(address, timeout=LIMIT_S)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read().decode()
        if response.status != 200:
            raise OSError(f"status {response.status}: {body.strip()}")
        return body
    except http.client.HTTPException as error:
        raise OSError(str(error) or type(error).__name__) from error
    finally:
        connection.close()


class Load:
    """Asks until it is stopped."""

    def __init__(self, address: str, per_second: float) -> None:
        self._address, self._pause_s = address, CONNECTIONS / per_second
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self.answers: Counter[str] = Counter()
        """By status, or by what went wrong."""
        self._threads = [threading.Thread(target=self._run) for _ in range(CONNECTIONS)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End it; again is allowed."""
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        connection = http.client.HTTPConnection(self._address, timeout=LIMIT_S)
        due_s = time.monotonic()
        while not self._ending.wait(max(0.0, due_s - time.monotonic())):
            due_s = max(due_s + self._pause_s, time.monotonic() - 1)
            try:
                connection.request("GET", "/")
                response = connection.getresponse()
                response.read()
                answer = str(response.status)
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                answer = type(error).__name__
            with self._lock:
                self.answers[answer] += 1
        connection.close()

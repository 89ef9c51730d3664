"""A small HTTP service: ``python -m demo.service NAME PORT [NEXT SIDECAR_PORT]``.

It answers with its name, and with what the service NEXT says, which it asks through its sidecar; so it need not know
where that is. It ends with its stdin.
"""

import http.client
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LIMIT_S = 10


class Handler(BaseHTTPRequestHandler):
    """Answers every GET, and keeps its connections open, to the sidecar too."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    name = ""
    following = ""
    sidecar = ""

    def setup(self) -> None:
        """A connection has come."""
        super().setup()
        self._next = http.client.HTTPConnection(self.sidecar, timeout=LIMIT_S)

    def finish(self) -> None:
        """It has ended."""
        self._next.close()
        super().finish()

    def do_GET(self) -> None:
        """Answer."""
        status, said = 200, self.name
        if self.following:
            status, rest = self._ask()
            said = f"{said} → {rest}"
        body = f"{said}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _ask(self) -> tuple[int, str]:
        """The status and the words of the next service."""
        try:
            self._next.request("GET", "/", headers={"Host": self.following})
            response = self._next.getresponse()
            return response.status, response.read().decode().strip()
        except (OSError, http.client.HTTPException) as error:
            self._next.close()
            return 502, f"{self.following}: {error}"

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent: the demo's output is about the mesh."""


class Server(ThreadingHTTPServer):
    """Takes whatever comes at once."""

    request_queue_size = 128
    daemon_threads = True


def main() -> None:
    """Serve until the parent closes our stdin, which it also does by dying."""
    Handler.name, port, *rest = sys.argv[1:]
    if rest:
        Handler.following, Handler.sidecar = rest[0], f"127.0.0.1:{rest[1]}"
    server = Server(("127.0.0.1", int(port)), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()

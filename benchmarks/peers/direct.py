"""No proxy: the load talks to the origin. What a figure costs without the hop."""

from benchmarks.peers.base import Launch, Mode, Plan


class Direct:
    name = "direct"
    modes = frozenset({Mode.TCP, Mode.PAIR, Mode.HTTP, Mode.HTTP_PAIR})  # the origin speaks no TLS

    def missing(self) -> str | None:
        return None

    def version(self) -> str:
        return "no proxy"

    def launches(self, plan: Plan) -> list[Launch]:
        return []

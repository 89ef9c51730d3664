"""The floor: our bare relay in C (``benchmarks/floor/relay.c``), and our bare proxy for HTTP/1.1 (``http.c``)."""

import shutil

from benchmarks.peers.base import Launch, Mode, Plan
from benchmarks.programs import program


class Floor:
    name = "floor"
    modes = frozenset({Mode.TCP, Mode.HTTP})

    def missing(self) -> str | None:
        return None if shutil.which("cc") else "no C compiler: apt install gcc"

    def version(self) -> str:
        return "benchmarks/floor/relay.c, http.c"

    def launches(self, plan: Plan) -> list[Launch]:
        name = "http" if plan.mode.http else "relay"
        argv = [str(program(name)), str(plan.listen_port), str(plan.origin_port), *self._spread()]
        return [Launch(argv, plan.listen_port)]

    def _spread(self) -> list[str]:
        return []


class FloorSpread(Floor):
    """The floor that draws one of so many loopback addresses, from 127.1.0.1 on, for each connection."""

    def __init__(self, addresses: int):
        self._addresses = addresses

    def _spread(self) -> list[str]:
        return [str(self._addresses)]

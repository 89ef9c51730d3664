"""hopmesh itself, run from this repository by the Python that runs the benchmark."""

import importlib.util
import sys
from pathlib import Path

from benchmarks.paths import ROOT, SOURCES
from benchmarks.peers.base import Launch, Mode, Plan

_TCP = """\
workers: 1
listeners: [{{name: in, address: "127.0.0.1:{listen_port}", protocol: tcp, cluster: app}}]
clusters: [{{name: app, endpoints: ["127.0.0.1:{origin_port}"]}}]
"""


class Hopmesh:
    name = "hopmesh"
    modes = frozenset({Mode.TCP})

    def missing(self) -> str | None:
        try:
            found = importlib.util.find_spec("mesh_core.cli")
        except ModuleNotFoundError:
            found = None
        return None if found else "not built for this Python: pip install -e . (or `make compile`)"

    def version(self) -> str:
        from mesh_core._version import __version__  # noqa: PLC0415 - absent where hopmesh is not installed

        return f"hopmesh {__version__}, Python {sys.version.split()[0]}"

    def launches(self, plan: Plan) -> list[Launch]:
        path = plan.directory / "hopmesh.yaml"
        config = _TCP.format(listen_port=plan.listen_port, origin_port=plan.origin_port)
        return [Launch([*self._command(), "proxy", "--config", str(path)], {path.name: config}, _ENVIRONMENT)]

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "mesh_core.cli"]


class HopmeshWithHog(Hopmesh):
    """hopmesh with one more Python thread, which holds the GIL while the file ``switch`` exists."""

    def __init__(self, switch: Path):
        self._switch = switch

    def _command(self) -> list[str]:
        return [sys.executable, str(SOURCES / "tools" / "gil_hog.py"), str(self._switch)]


# So that a checkout that was built in place is found from whatever directory the proxy starts in.
_ENVIRONMENT = {"PYTHONPATH": str(ROOT)}

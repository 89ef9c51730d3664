"""hopmesh's proxy: a data path of compiled workers, and the control thread that configures and watches them.

Folders follow the data: config → control → snapshot → worker → relay, upstream → net, telemetry → runtime.
"""

from mesh_core._version import __version__

__all__ = ["__version__"]

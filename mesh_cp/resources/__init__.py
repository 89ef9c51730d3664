"""Mesh resources: the manifests that operators have already, read without a cluster.

    load.py      text or stored documents to resources      resource.py  what they become, and their faults
    kinds.py     which kinds there are                       gaps.py      fields that are known and not supported
    common.py    types of several kinds                      one file a kind: its types, and what must hold in it

docs/mesh-resources.md lists the kinds and their fields.
"""

from mesh_cp.resources.kinds import Spec
from mesh_cp.resources.load import KIND_NAMES, from_document, load
from mesh_cp.resources.resource import DEFAULT_NAMESPACE, Key, Loaded, Resource, ResourceFault, Skipped

__all__ = [
    "DEFAULT_NAMESPACE",
    "KIND_NAMES",
    "Key",
    "Loaded",
    "Resource",
    "ResourceFault",
    "Skipped",
    "Spec",
    "from_document",
    "load",
]

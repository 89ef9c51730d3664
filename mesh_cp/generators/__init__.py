"""Generators: what each proxy should have, made of the world by pure functions.

    generate.py    all of one proxy; what it depends on       index.py, memory.py   what a change concerns
    outbound.py    a port of a host: routes, listeners        inbound.py            a port of the proxy's own workload
    destinations.py, clusters.py, endpoints.py, policy.py     what routes lead to
    virtual_service_routes.py, http_route_routes.py, route_extras.py, actions.py    manifests to routes
    output.py, names.py, change.py                            resources of the control channel, and the way between them
"""

from mesh_cp.generators.change import Change, change
from mesh_cp.generators.generate import Generated, Generator
from mesh_cp.generators.index import Index
from mesh_cp.generators.output import Output, OutputKey
from mesh_cp.generators.proxy import Dial, Inbound, Proxy

__all__ = [
    "Change",
    "Dial",
    "Generated",
    "Generator",
    "Inbound",
    "Index",
    "Output",
    "OutputKey",
    "Proxy",
    "change",
]

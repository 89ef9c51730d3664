"""The model: what manifests and workloads mean together, as one immutable world.

    world.py     the world; its next state when workloads change     build.py    manifests and workloads to a world
    service.py, workload.py, names.py                                 hosts, who stands behind them, short names
    rules.py, routes.py, attach.py                                    which policy holds for a client
    changes.py   what differs between two worlds                      problem.py, references.py    contradictions
"""

from mesh_cp.model.build import build
from mesh_cp.model.changes import HOSTS, Fact, changed_facts
from mesh_cp.model.problem import Problem
from mesh_cp.model.rules import Client
from mesh_cp.model.service import Service, ServicePort
from mesh_cp.model.workload import Workload, WorkloadPort
from mesh_cp.model.world import Settings, World, with_workloads

__all__ = [
    "HOSTS",
    "Client",
    "Fact",
    "Problem",
    "Service",
    "ServicePort",
    "Settings",
    "Workload",
    "WorkloadPort",
    "World",
    "build",
    "changed_facts",
    "with_workloads",
]

"""What must hold between the fields of `control_plane`."""

from __future__ import annotations

import ipaddress
import socket

from mesh_core.config.address import AddressError, parse_address
from mesh_core.config.faults import PathStep, Report
from mesh_core.config.schema import ControlPlane, Workload
from mesh_core.config.wording import path_text, quoted

_PATH: list[PathStep] = ["control_plane"]


def check_control_plane(control_plane: ControlPlane, report: Report) -> None:
    """Report addresses that are none, or nothing to connect to, and workloads that stand there twice."""
    if isinstance(control_plane.addresses, tuple):
        for index, text in enumerate(control_plane.addresses):
            _check_address([*_PATH, "addresses", index], text, report)
    if isinstance(control_plane.workloads, tuple):
        first: dict[object, list[PathStep]] = {}
        for index, workload in enumerate(control_plane.workloads):
            if isinstance(workload, Workload):
                _check_workload([*_PATH, "workloads", index], workload, first, report)


def _check_address(path: list[PathStep], text: object, report: Report) -> None:
    if not isinstance(text, str):
        return
    try:
        address = parse_address(text)
    except AddressError as error:
        report(path, error.message, error.hint)
        return
    if address.family != socket.AF_UNIX and (address.is_wildcard or address.port == 0):
        report(path, f"{address} is no address to connect to", "write the address at which a control plane listens")


def _check_workload(
    path: list[PathStep], workload: Workload, first: dict[object, list[PathStep]], report: Report
) -> None:
    if not isinstance(workload.address, str):
        return
    try:
        address = ipaddress.ip_address(workload.address)
    except ValueError:
        message = f"expected an IP address without a port, found {quoted(workload.address)}"
        report([*path, "address"], message, "write the address that other proxies connect to, such as 10.0.0.7")
        return
    if address.is_unspecified:
        report([*path, "address"], f"{address} is no address to connect to", "write the address of one host")
    same = first.setdefault((workload.service, workload.namespace, address, workload.port), path)
    if same is not path:
        report(path, f"the same stands here already, as {path_text(same)}", "remove one")

"""What must hold between the fields of `control_plane`."""

from __future__ import annotations

import socket

from mesh_core.config.address import Address, AddressError, parse_address
from mesh_core.config.check_health_checks import check_health_check
from mesh_core.config.faults import PathStep, Report
from mesh_core.config.host_name import parse_endpoint
from mesh_core.config.schema import ControlPlane, Dial, HealthCheck, Workload
from mesh_core.config.wording import path_text

_PATH: list[PathStep] = ["control_plane"]
_Taken = dict[Address, list[PathStep]]


def check_control_plane(control_plane: ControlPlane, report: Report) -> None:
    """Report addresses that are none, and those that two things should listen at."""
    if isinstance(control_plane.addresses, tuple):
        for index, text in enumerate(control_plane.addresses):
            _check_dialled([*_PATH, "addresses", index], text, report)
    taken: _Taken = {}
    _check_listened([*_PATH, "outbound"], control_plane.outbound, taken, report)
    for index, dial in enumerate(control_plane.dials if isinstance(control_plane.dials, tuple) else ()):
        if isinstance(dial, Dial):
            _check_listened([*_PATH, "dials", index, "listen"], dial.listen, taken, report)
    ports: dict[int, int] = {}
    for index, workload in enumerate(control_plane.workloads if isinstance(control_plane.workloads, tuple) else ()):
        if isinstance(workload, Workload):
            _check_workload([*_PATH, "workloads", index], workload, taken, report)
            first = ports.setdefault(workload.port, index) if isinstance(workload.port, int) else index
            if first != index:
                message = f"port {workload.port} is that of {path_text([*_PATH, 'workloads', first])}"
                report([*_PATH, "workloads", index, "port"], message, "let several Services select one workload")


def _parsed(path: list[PathStep], text: object, report: Report) -> Address | None:
    if not isinstance(text, str):
        return None
    try:
        return parse_address(text)
    except AddressError as error:
        report(path, error.message, error.hint)
        return None


def _check_dialled(path: list[PathStep], text: object, report: Report) -> None:
    address = _parsed(path, text, report)
    if address is not None and address.family != socket.AF_UNIX and (address.is_wildcard or address.port == 0):
        report(path, f"{address} is no address to connect to", "write the address at which a control plane listens")


def _check_listened(path: list[PathStep], text: object, taken: _Taken, report: Report) -> Address | None:
    address = _parsed(path, text, report)
    if address is None:
        return None
    if address.family != socket.AF_UNIX and address.port == 0:
        report(path, f"port 0 of {address} is chosen anew at each start", "write a port from 1 to 65535")
        return None
    first = taken.setdefault(address, path)
    if first is not path:
        report(path, f"{address} is taken by {path_text(first)}", "give each an address of its own")
    return address


def _check_workload(path: list[PathStep], workload: Workload, taken: _Taken, report: Report) -> None:
    address = _check_listened([*path, "listen"], workload.listen, taken, report)
    if address is not None and address.is_wildcard:
        report([*path, "listen"], f"{address} is no address that others reach", "write the address of this host")
    app: object = None
    if isinstance(workload.app, str):
        try:
            app = parse_endpoint(workload.app)
        except AddressError as error:
            report([*path, "app"], error.message, error.hint)
    if isinstance(workload.health_check, HealthCheck):
        _check_health([*path, "health_check"], workload.health_check, app, report)


def _check_health(path: list[PathStep], check: HealthCheck, app: object, report: Report) -> None:
    if check.type == "tls":
        report([*path, "type"], "workloads are not checked by TLS", "write tcp or http")
    if app is not None and not isinstance(app, Address):
        report(path, "workloads are checked at addresses, not at host names", "write app as an IP address and a port")
    check_health_check(path, check, report)

"""What must hold within the time-outs of routes and virtual hosts."""

from __future__ import annotations

from mesh_core.config.faults import PathStep, Report
from mesh_core.config.schema import RouteTimeouts


def check_timeouts(path: list[PathStep], timeouts: object, report: Report) -> None:
    """Report everything in a RouteTimeouts that cannot work; of another value, nothing."""
    if not isinstance(timeouts, RouteTimeouts):
        return
    whole, each = timeouts.request_ms, timeouts.per_try_ms
    if isinstance(whole, int) and isinstance(each, int) and 0 < whole < each:
        message = f"longer than request_ms, {whole}: no attempt would last so long"
        report([*path, "per_try_ms"], message, "write less, or leave it out")

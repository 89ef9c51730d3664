"""What flows where, as the control plane has it from the sidecars: what `hopmesh stat` shows, in one table."""

from mesh_cp.cli.client import Client, ClientError
from mesh_cp.observation import TrafficReply, TrafficRow

HEADERS = ("FROM", "TO", "REQUESTS", "PER SECOND", "SUCCESS", "P50 MS", "P99 MS")


def table(server: str, entry: str) -> list[str]:
    """Lines of text about the last minute. `entry`: the service that others than services ask."""
    try:
        reply = Client(server).get("/v1/stat", TrafficReply, window_s=60)
    except ClientError as error:
        return [f"the control plane does not say: {error}"]
    asked = [row for row in reply.services if _short(row.destination) == entry]
    rows: list[tuple[str, ...]] = [HEADERS]
    rows += [_cells(row, "anybody") for row in asked]
    rows += [_cells(row, _short(row.source)) for row in reply.edges]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADERS))]
    return ["   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _cells(row: TrafficRow, source: str) -> tuple[str, ...]:
    shares = (row.success_percent, row.p50_ms, row.p99_ms)
    success, *times = ("-" if each is None else f"{each:.1f}" for each in shares)
    requests = (str(row.requests), f"{row.requests_per_second:.1f}")
    return source, _short(row.destination), *requests, f"{success} %", *times


def _short(service: str) -> str:
    """Without its namespace."""
    return service.partition(".")[0]

"""`hopmesh logs`: lines of the proxies' access logs."""

from __future__ import annotations

import time
from typing import Any

import click
import msgspec

from mesh_core.config.escape import escaped
from mesh_cp.cli.client import ApiCommand, Client, ended_by_reader
from mesh_cp.cli.output import local_time
from mesh_cp.observation import AccessRecord, RecordsReply

INTERVAL_S = 0.5
"""Proxies tell once a second."""

_FIELDS = ("response_flags", "method", "authority", "path", "upstream_host")


@click.command(cls=ApiCommand, epilog="Example: hopmesh logs --service cart --follow")
@click.option("--proxy", "-p", help="Only of this proxy.")
@click.option("--service", help="Only of proxies of this service, by its name or name.namespace.")
@click.option("--limit", type=click.IntRange(1, 5000), default=100, show_default=True, help="How many, of the newest.")
@click.option("--follow", "-f", is_flag=True, help="Go on with lines as they come, until interrupted.")
@click.option("--output", "-o", type=click.Choice(["text", "json"]), default="text", show_default=True,
              help="text for people; json: an object a line, with the proxy's own line in `line`.")  # fmt: skip
@click.pass_context
def logs(
    ctx: click.Context, *, proxy: str | None, service: str | None, limit: int, follow: bool, output: str
) -> None:
    """Show the newest lines of access logs that proxies have told of: some of each second's, by their
    control_plane.access_records_per_second.

    In text, a line has the time, the proxy, its service, status, milliseconds, flags, method, host, path and endpoint;
    a proxy whose log has a format of its own is shown as it writes.
    """
    client: Client = ctx.obj

    def show() -> None:
        reply = client.get("/v1/logs", RecordsReply, proxy=proxy, service=service, limit=limit)
        _print(reply, output)
        while follow:
            time.sleep(INTERVAL_S)
            reply = client.get("/v1/logs", RecordsReply, proxy=proxy, service=service, after=reply.last)
            if reply.missed:
                click.echo(f"{reply.missed} lines came faster than they could be shown", err=True)
            _print(reply, output)

    ended_by_reader(show)


def _print(reply: RecordsReply, output: str) -> None:
    for record in reply.records:
        click.echo(msgspec.json.encode(record) if output == "json" else _line(record))


def _line(record: AccessRecord) -> str:
    parts = local_time(record.time_ms), record.proxy, record.service, _said(record.line)
    return "  ".join(escaped(part) for part in parts)


def _said(line: str) -> str:
    """What stands in the line, in short where it has the default keys."""
    try:
        fields: Any = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return line
    if not isinstance(fields, dict) or "response_flags" not in fields:
        return line
    status = fields.get("response_code") or "-"
    return " ".join((str(status), f"{fields.get('duration')}ms", *(str(fields.get(name) or "-") for name in _FIELDS)))

"""`hopmesh stat`: what goes through the mesh."""

from __future__ import annotations

from collections.abc import Iterable

import click

from mesh_cp.cli.client import ApiCommand, ClientError
from mesh_cp.cli.output import output_option, print_reply, print_table
from mesh_cp.observation import TrafficReply, TrafficRow

_TIMES = ("P50", "P95", "P99")


@click.command(cls=ApiCommand, epilog="Example: hopmesh stat cart --edges")
@click.argument("service", required=False, default="")
@click.option("--edges", "-e", is_flag=True, help="Who asks whom, in place of what each service is asked.")
@click.option("--window", "window_s", type=click.IntRange(5, 60), default=60, show_default=True, metavar="SECONDS",
              help="Of how many seconds back, about.")  # fmt: skip
@output_option
@click.pass_context
def stat(ctx: click.Context, *, service: str, edges: bool, window_s: int, output: str) -> None:
    """Show what went through the mesh in the last minute: the share of requests that were answered by a status below
    500, requests a second, and the times in which half, 95 and 99 of a hundred have ended, in milliseconds.

    What a service is asked is counted by its own proxies; where it has none, by those of who asks it. Edges are counted
    by those of who asks. With SERVICE, as name or name.namespace, only what concerns that one.
    """
    reply: TrafficReply = ctx.obj.get("/v1/stat", TrafficReply, window_s=window_s)
    if output != "text":
        print_reply(reply, output)
        return
    shown = [each for each in (reply.edges if edges else reply.services) if _concerns(each, service)]
    if not shown:
        if service:
            raise ClientError(f"no requests of {service} in the last {reply.seconds:g} s")
        click.echo("no requests yet", err=True)
        return
    if edges:
        rows = [(each.source, each.destination, *_numbers(each)) for each in shown]
        print_table(("SOURCE", "DESTINATION", "REQUESTS", "SUCCESS", "RPS", *_TIMES), rows)
    else:
        counted = [(each.destination, *_numbers(each), each.reporter) for each in shown]
        print_table(("SERVICE", "REQUESTS", "SUCCESS", "RPS", *_TIMES, "COUNTED BY"), counted)


def _concerns(row: TrafficRow, service: str) -> bool:
    return not service or any(service in (name, name.partition(".")[0]) for name in (row.source, row.destination))


def _numbers(row: TrafficRow) -> Iterable[str]:
    success = "-" if row.success_percent is None else f"{row.success_percent:.2f}%"
    times = ("-" if each is None else f"{each:.1f}" for each in (row.p50_ms, row.p95_ms, row.p99_ms))
    return str(row.requests), success, f"{row.requests_per_second:.1f}", *times

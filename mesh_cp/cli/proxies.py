"""`hopmesh proxies`: who is connected, and how far each has come."""

from __future__ import annotations

import click

from mesh_core.config.escape import escaped
from mesh_cp.api.messages import ProxiesReply
from mesh_cp.cli.client import ApiCommand
from mesh_cp.cli.output import output_option, print_reply, print_table
from mesh_cp.propagation import ProxyStatus


@click.command(cls=ApiCommand, epilog="Example: hopmesh proxies -o json")
@output_option
@click.pass_context
def proxies(ctx: click.Context, output: str) -> None:
    """List the proxies: whether each is connected and has all that it should have, its version, the revision that is in
    effect there; and below, every fault for which one has refused its last update.

    A proxy that is gone is listed for as long as its workloads wait for it to come back.
    """
    reply = ctx.obj.get("/v1/proxies", ProxiesReply)
    if output != "text":
        print_reply(reply, output)
        return
    if not reply.proxies:
        click.echo("no proxy is connected", err=True)
        return
    rows = [
        (each.name, "yes" if each.connected else "no", _sync(each), each.version or "-", each.revision or "-")
        for each in reply.proxies
    ]
    print_table(("PROXY", "CONNECTED", "IN SYNC", "VERSION", "REVISION"), rows)
    for each in reply.proxies:
        for fault in each.faults:
            click.echo(f"proxy {escaped(each.name)} refused: {escaped(fault)}")


def _sync(status: ProxyStatus) -> str:
    if status.faults:
        return "refused"
    return "yes" if status.in_sync else "no"

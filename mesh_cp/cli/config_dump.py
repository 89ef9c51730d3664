"""`hopmesh config-dump`: what one proxy should have."""

from __future__ import annotations

import click
import msgspec

from mesh_core.config.escape import escaped
from mesh_cp.cli.client import ApiCommand
from mesh_cp.cli.output import output_option, print_reply, print_table
from mesh_cp.observation import ConfigDumpReply


@click.command("config-dump", cls=ApiCommand, epilog="Example: hopmesh config-dump cart-1 --type cluster -o yaml")
@click.argument("proxy")
@click.option("--type", "kind", type=click.Choice(["cluster", "endpoint", "listener", "route", "secret", "policy"]),
              help="Only resources of this type.")  # fmt: skip
@output_option
@click.pass_context
def config_dump(ctx: click.Context, proxy: str, kind: str | None, output: str) -> None:
    """Show what the control plane says that PROXY should have: each resource with its hash, and whether the proxy has
    acknowledged it. -o yaml and -o json show all that stands in them, but never a secret.
    """
    reply: ConfigDumpReply = ctx.obj.get("/v1/config-dump", ConfigDumpReply, proxy=proxy)
    if kind is not None:
        chosen = tuple(each for each in reply.resources if each.type == kind)
        reply = msgspec.structs.replace(reply, resources=chosen)
    if output != "text":
        print_reply(reply, output)
        return
    state = "refused" if reply.faults else "in sync" if reply.in_sync else "not in sync"
    versions = f"version {reply.version}, acknowledged {reply.acknowledged_version}"
    click.echo(f"{escaped(reply.proxy)}: {state}, {versions}")
    for fault in reply.faults:
        click.echo(f"refused: {escaped(fault)}")
    rows = [(each.type, each.name, each.hash, "yes" if each.acknowledged else "no") for each in reply.resources]
    print_table(("TYPE", "NAME", "HASH", "ACKNOWLEDGED"), rows)
    for leftover in reply.leftovers:
        click.echo(f"to be removed: {escaped(leftover)}")

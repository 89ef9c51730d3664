"""`hopmesh describe`: all about one resource."""

from __future__ import annotations

import click

from mesh_cp.api.messages import DescribeReply
from mesh_cp.cli.client import ApiCommand
from mesh_cp.cli.output import CHANGE_HEADERS, change_row, output_option, print_reply, print_table, yaml_text
from mesh_cp.resources import DEFAULT_NAMESPACE


@click.command(cls=ApiCommand, epilog="Example: hopmesh describe destinationrule reviews")
@click.argument("kind")
@click.argument("name")
@click.option("--namespace", "-n", default=DEFAULT_NAMESPACE, show_default=True, help="Where it is.")
@output_option
@click.pass_context
def describe(ctx: click.Context, kind: str, name: str, namespace: str, output: str) -> None:
    """Show one resource: which of its fields have no effect, what contradicts it, and the changes that touched it, the
    newest first."""
    reply = ctx.obj.get("/v1/describe", DescribeReply, kind=kind, namespace=namespace, name=name)
    if output != "text":
        print_reply(reply, output)
        return
    item = reply.item
    origin = item.source if item.line is None else f"{item.source}:{item.line}"
    for title, value in (("Kind", item.key.kind), ("Namespace", item.key.namespace), ("Name", item.key.name),
                         ("From", origin), ("Created", f"at revision {item.create_revision}"),
                         ("Changed", f"at revision {item.revision}")):  # fmt: skip
        click.echo(f"{title + ':':11}{value}")
    click.echo("\nWarnings:" if reply.warnings else "\nWarnings:  none")
    for fault in reply.warnings:
        click.echo(f"  {fault.path}: {fault.message}")
    if reply.problems:
        click.echo("\nContradictions:")
    for problem in reply.problems:
        click.echo(f"  {problem.path}: {problem.message}")
    click.echo(f"\n{yaml_text(item.document)}")
    print_table(CHANGE_HEADERS, [change_row(change) for change in reply.changes])

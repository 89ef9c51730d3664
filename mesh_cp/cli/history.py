"""`hopmesh history`: the changes, or one of them."""

from __future__ import annotations

import click

from mesh_cp.api.messages import ChangeDetailReply, HistoryReply
from mesh_cp.cli.client import ApiCommand
from mesh_cp.cli.output import CHANGE_HEADERS, change_row, difference, output_option, print_reply, print_table


@click.command(cls=ApiCommand, epilog="Example: hopmesh history --change 12")
@click.argument("kind", required=False)
@click.argument("name", required=False)
@click.option("--namespace", "-n", help="Where NAME is. Default: default.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many at most.")
@click.option("--change", "number", type=click.IntRange(min=1), metavar="CHANGE", help="Instead: all that one changed.")
@output_option
@click.pass_context
def history(
    ctx: click.Context,
    *,
    kind: str | None,
    name: str | None,
    namespace: str | None,
    limit: int,
    number: int | None,
    output: str,
) -> None:
    """List the changes, newest first: all, or those that touched the resource KIND NAME.

    The last 1000 are kept.
    """
    if bool(kind) != bool(name) or (kind and number is not None):
        raise click.UsageError("give KIND and NAME, or --change, or neither")
    if number is not None:
        detail = ctx.obj.get("/v1/change", ChangeDetailReply, number=number)
        if output != "text":
            print_reply(detail, output)
            return
        print_table(CHANGE_HEADERS, [change_row(detail.change)])
        for edit in detail.edits:
            click.echo(difference(edit.key, edit.before, edit.after), nl=False)
        return
    reply = ctx.obj.get("/v1/history", HistoryReply, kind=kind, name=name, namespace=namespace, limit=limit)
    if output == "text":
        print_table(CHANGE_HEADERS, [change_row(change) for change in reply.changes])
    else:
        print_reply(reply, output)

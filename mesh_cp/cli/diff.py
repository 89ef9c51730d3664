"""`hopmesh diff`: what applying manifests would change."""

from __future__ import annotations

import click

from mesh_cp.api.messages import ApplyRequest, ChangeReply
from mesh_cp.cli.client import ApiCommand
from mesh_cp.cli.manifests import read_files
from mesh_cp.cli.output import difference, skipped_line


class _DiffCommand(ApiCommand):
    failure_status = 2


@click.command(cls=_DiffCommand, epilog="Example: hopmesh diff -f mesh/")
@click.option(
    "--filename", "-f", "paths", multiple=True, required=True, metavar="FILE|DIR|-",
    help="Manifests: a file, a folder with all below it, or - for the standard input. May be given several times.",
)  # fmt: skip
@click.pass_context
def diff(ctx: click.Context, paths: tuple[str, ...]) -> None:
    """Show what applying manifests would change, line by line.

    The exit status is 0 if that is nothing, 1 if it is something, 2 if it cannot be told.
    """
    reply = ctx.obj.post("/v1/apply", ApplyRequest(files=read_files(paths), dry_run=True), ChangeReply)
    for skipped in reply.skipped:
        click.echo(skipped_line(skipped), err=True)
    for edit in reply.edits:
        click.echo(difference(edit.key, edit.before, edit.after), nl=False)
    ctx.exit(1 if reply.edits else 0)

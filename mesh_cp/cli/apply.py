"""`hopmesh apply`: have the mesh as manifests describe it."""

from __future__ import annotations

import click

from mesh_cp.api.messages import ApplyRequest, ChangeReply
from mesh_cp.cli.client import ApiCommand
from mesh_cp.cli.manifests import read_files
from mesh_cp.cli.outcome import change_options, finish, wait_ms


@click.command(cls=ApiCommand, epilog="Example: hopmesh apply -f mesh/ --wait")
@click.option(
    "--filename", "-f", "paths", multiple=True, required=True, metavar="FILE|DIR|-",
    help="Manifests: a file, a folder with all below it, or - for the standard input. May be given several times.",
)  # fmt: skip
@change_options
@click.pass_context
def apply(
    ctx: click.Context, *, paths: tuple[str, ...], dry_run: bool, wait: bool, timeout_s: float, output: str
) -> None:
    """Have the mesh as manifests describe it: all of them, or with any fault nothing.

    Every fault is listed with its file, line and field. Kinds that mean nothing to the mesh are named and skipped. A
    document with a resourceVersion, as `hopmesh get -o yaml` prints it, is refused if the resource was changed since.
    The exit status is 0 if all is as described, 1 if nothing was changed, 2 for wrong usage, 3 if it was changed and
    with --wait some proxy refused it or did not answer.
    """
    request = ApplyRequest(files=read_files(paths), dry_run=dry_run, wait_ms=wait_ms(wait, timeout_s))
    reply = ctx.obj.post("/v1/apply", request, ChangeReply, request.wait_ms)
    finish(ctx, reply, output, dry_run=dry_run)

"""`hopmesh delete`: remove resources."""

from __future__ import annotations

import click

from mesh_cp.api.messages import ChangeReply, DeleteRequest
from mesh_cp.cli.client import ApiCommand
from mesh_cp.cli.manifests import read_files
from mesh_cp.cli.outcome import change_options, finish, wait_ms
from mesh_cp.resources import DEFAULT_NAMESPACE, Key


@click.command(cls=ApiCommand, epilog="Example: hopmesh delete virtualservice reviews")
@click.argument("kind", required=False)
@click.argument("names", metavar="NAME...", nargs=-1)
@click.option("--namespace", "-n", default=DEFAULT_NAMESPACE, show_default=True, help="Where the names are.")
@click.option(
    "--filename", "-f", "paths", multiple=True, metavar="FILE|DIR|-", help="Instead: all that stands in manifests."
)
@click.option("--ignore-not-found", "missing_ok", is_flag=True, help="Take no offence at what is not there.")
@change_options
@click.pass_context
def delete(
    ctx: click.Context,
    *,
    kind: str | None,
    names: tuple[str, ...],
    namespace: str,
    paths: tuple[str, ...],
    missing_ok: bool,
    dry_run: bool,
    wait: bool,
    timeout_s: float,
    output: str,
) -> None:
    """Remove resources, by kind and name or as manifests list them: all of them or, if one is not there, none.

    The exit status is as that of `hopmesh apply`.
    """
    if bool(paths) == bool(kind) or bool(kind) != bool(names):
        raise click.UsageError("give either KIND and NAME or --filename")
    request = DeleteRequest(
        keys=tuple(Key(kind or "", namespace, name) for name in names),
        files=read_files(paths),
        missing_ok=missing_ok,
        dry_run=dry_run,
        wait_ms=wait_ms(wait, timeout_s),
    )
    reply = ctx.obj.post("/v1/delete", request, ChangeReply, request.wait_ms)
    finish(ctx, reply, output, dry_run=dry_run)

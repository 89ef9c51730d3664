"""`hopmesh rollback`: have all as it was."""

from __future__ import annotations

import click

from mesh_cp.api.messages import ChangeReply, RollbackRequest
from mesh_cp.cli.client import ApiCommand
from mesh_cp.cli.outcome import change_options, finish, wait_ms


@click.command(cls=ApiCommand, epilog="Example: hopmesh rollback --to 12 --wait")
@click.option(
    "--to", type=click.IntRange(min=0), metavar="CHANGE",
    help="The change after which all was as it shall be, by its number in `hopmesh history`; 0 for before the first. "
    "Default: the one before the last, which undoes the last.",
)  # fmt: skip
@change_options
@click.pass_context
def rollback(ctx: click.Context, *, to: int | None, dry_run: bool, wait: bool, timeout_s: float, output: str) -> None:
    """Have all resources as they were after an earlier change.

    This is a change like any other: it stands in the history, and can be rolled back. The exit status is as that of
    `hopmesh apply`.
    """
    request = RollbackRequest(to=to, dry_run=dry_run, wait_ms=wait_ms(wait, timeout_s))
    reply = ctx.obj.post("/v1/rollback", request, ChangeReply, request.wait_ms)
    finish(ctx, reply, output, dry_run=dry_run)

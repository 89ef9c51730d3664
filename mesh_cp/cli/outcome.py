"""What the commands that change something have in common: their options, and telling how it went."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from mesh_core.config.escape import escaped
from mesh_cp.api.messages import WAIT_LIMIT_MS, ChangeReply
from mesh_cp.cli.output import output_option, print_reply, skipped_line
from mesh_cp.propagation import Acknowledgement

NOT_ACKNOWLEDGED_STATUS = 3
"""The exit status when a change was made and some proxy has refused it, or not answered in time."""

_F = TypeVar("_F", bound=Callable[..., Any])


def change_options(function: _F) -> _F:
    """Adds --dry-run, --wait, --timeout and --output."""
    for option in (
        output_option,
        click.option(
            "--timeout",
            "timeout_s",
            type=click.FloatRange(min=0, min_open=True, max=WAIT_LIMIT_MS / 1000),
            default=30,
            show_default=True,
            metavar="SECONDS",
            help="How long --wait waits.",
        ),
        click.option("--wait", is_flag=True, help="Wait until all proxies concerned have answered, and say how long."),
        click.option("--dry-run", is_flag=True, help="Change nothing: show what would be, for each proxy too."),
    ):
        function = option(function)
    return function


def wait_ms(wait: bool, timeout_s: float) -> int:
    """What a request says of the options --wait and --timeout."""
    return max(1, round(timeout_s * 1000)) if wait else 0


def finish(ctx: click.Context, reply: ChangeReply, output: str, *, dry_run: bool) -> None:
    """Print how a change went, and end the command if the proxies have not taken it."""
    if output == "text":
        _print(reply, dry_run)
    else:
        print_reply(reply, output)
    answered = reply.propagation
    if answered is not None and (answered.rejected or answered.waiting):
        ctx.exit(NOT_ACKNOWLEDGED_STATUS)


def _print(reply: ChangeReply, dry_run: bool) -> None:
    for skipped in reply.skipped:
        click.echo(skipped_line(skipped), err=True)
    for warning in reply.warnings:
        click.echo(str(warning), err=True)
    note = " (dry run)" if dry_run else ""
    for edit in reply.edits:
        click.echo(f"{edit.key} {edit.action}{note}")
    for key in reply.unchanged:
        click.echo(f"{key} unchanged{note}")
    for preview in reply.preview:
        click.echo(f"proxy {escaped(preview.proxy)} would get:")
        for name in preview.set:
            click.echo(f"  set {escaped(name)}")
        for name in preview.removed:
            click.echo(f"  remove {escaped(name)}")
    if reply.change is not None:
        click.echo(f"change {reply.change.number} at revision {reply.revision}")
    elif not reply.edits:
        click.echo("nothing to change")
    if reply.propagation is not None:
        _print_propagation(reply.propagation)


def _print_propagation(answered: Acknowledgement) -> None:
    if not answered.affected:
        click.echo("no proxy is concerned")
        return
    click.echo(
        f"acknowledged by {answered.acknowledged} of {answered.affected} proxies in {answered.elapsed_ms:.1f} ms"
    )
    for rejection in answered.rejected:
        for reason in rejection.reasons:
            click.echo(f"proxy {escaped(rejection.proxy)} refused: {escaped(reason)}", err=True)
    for name in answered.waiting:
        click.echo(f"proxy {escaped(name)} has not answered", err=True)

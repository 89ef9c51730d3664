"""`hopmesh validate`: whether configuration files are good, and all that is wrong with those that are not."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import click
import msgspec

from mesh_core.config import Config, ConfigError, load_file, load_text
from mesh_core.config.text import SIZE_LIMIT_BYTES

_F = TypeVar("_F", bound=Callable[..., Any])


class Verdict(NamedTuple):
    """On one file: whether it is good, what is said of it, and all that is wrong, as JSON has it."""

    file: str
    good: bool
    said: str
    faults: str
    details: Sequence[Any]
    omitted: int


def validate_options(function: _F) -> _F:
    """Adds the arguments and options of the command."""
    files = click.argument("files", metavar="FILE...", nargs=-1, required=True)
    form = click.option(
        "--format",
        "output",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="text: good files go to stdout, faults to stderr, each a line. json: one object to stdout.",
    )
    return files(form(function))


@click.command(epilog="Example: hopmesh validate --format json proxy.yaml")
@validate_options
@click.pass_context
def validate(ctx: click.Context, files: tuple[str, ...], output: str) -> None:
    """Check configuration files, "-" for the standard input.

    Every fault of every file is listed, with line, column, field path and what would be right. The exit
    status is 0 if all are good, 1 if one has a fault, 2 for wrong usage.
    """
    finish(ctx, [verdict_on_file(file) for file in files], output)


def verdict_on_file(file: str) -> Verdict:
    """Read and judge a configuration file, or the standard input."""
    if file == "-":
        return verdict_on_text(file, sys.stdin.buffer.read(SIZE_LIMIT_BYTES + 1), "<stdin>")
    return _verdict(file, lambda: load_file(file))


def verdict_on_text(file: str, text: bytes, name: str) -> Verdict:
    """Judge a configuration that was read from `file` already; faults call it `name`."""
    return _verdict(file, lambda: load_text(text, name))


def _verdict(file: str, load: Callable[[], Config]) -> Verdict:
    try:
        config = load()
    except ConfigError as error:
        return Verdict(file, False, "", str(error), msgspec.to_builtins(error.faults), error.omitted)
    said = f"{file}: OK (listeners: {len(config.listeners)}, clusters: {len(config.clusters)})"
    return Verdict(file, True, said, "", (), 0)


def finish(ctx: click.Context, verdicts: Sequence[Verdict], output: str) -> None:
    """Print the verdicts, and end the command if one is bad."""
    if output == "json":
        files = [
            {"file": each.file, "ok": each.good, "faults": each.details, "omitted": each.omitted} for each in verdicts
        ]
        click.echo(json.dumps({"files": files}, indent=2))
    else:
        for each in verdicts:
            if each.faults:
                click.echo(each.faults, err=True)
            if each.said:
                click.echo(each.said)
    if not all(each.good for each in verdicts):
        ctx.exit(1)

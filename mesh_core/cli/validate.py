"""`hopmesh validate`: whether configuration files are good, and all that is wrong with those that are not."""

from __future__ import annotations

import json
import sys
from typing import Any

import click
import msgspec

from mesh_core.config import Config, ConfigError, load_file, load_text
from mesh_core.config.text import SIZE_LIMIT_BYTES


@click.command(epilog="Example: hopmesh validate --format json proxy.yaml")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--format",
    "output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="text: good files go to stdout, faults to stderr, each a line. json: one object to stdout.",
)
@click.pass_context
def validate(ctx: click.Context, files: tuple[str, ...], output: str) -> None:
    """Check configuration files, "-" for the standard input.

    Every fault of every file is listed, with line, column, field path and what would be right. The exit
    status is 0 if all are good, 1 if one has a fault, 2 for wrong usage.
    """
    results = [(file, _check(file)) for file in files]
    if output == "json":
        click.echo(json.dumps({"files": [_report(file, result) for file, result in results]}, indent=2))
    else:
        for file, result in results:
            _print(file, result)
    if any(isinstance(result, ConfigError) for _, result in results):
        ctx.exit(1)


def _check(file: str) -> Config | ConfigError:
    try:
        if file == "-":
            return load_text(sys.stdin.buffer.read(SIZE_LIMIT_BYTES + 1), "<stdin>")
        return load_file(file)
    except ConfigError as error:
        return error


def _print(file: str, result: Config | ConfigError) -> None:
    if isinstance(result, ConfigError):
        click.echo(str(result), err=True)
    else:
        click.echo(f"{file}: OK (listeners: {len(result.listeners)}, clusters: {len(result.clusters)})")


def _report(file: str, result: Config | ConfigError) -> dict[str, Any]:
    if isinstance(result, Config):
        return {"file": file, "ok": True, "faults": [], "omitted": 0}
    return {
        "file": file,
        "ok": False,
        "faults": msgspec.to_builtins(result.faults),
        "omitted": result.omitted,
    }

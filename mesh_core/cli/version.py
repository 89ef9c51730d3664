"""`hopmesh version`: the versions that matter in a bug report."""

from __future__ import annotations

import json
import os
import platform
from importlib import metadata

import click

from mesh_core._version import __version__


@click.command(epilog="Example: hopmesh version --json")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
def version(as_json: bool) -> None:
    """Print the versions of hopmesh and of what it runs on."""
    versions = _versions()
    if as_json:
        click.echo(json.dumps(versions))
    else:
        for name, value in versions.items():
            click.echo(f"{name} {value}")


def _versions() -> dict[str, str]:
    return {
        "hopmesh": __version__,
        "python": f"{platform.python_version()} ({platform.python_implementation()})",
        "uvloop": _installed("uvloop"),
        "kernel": os.uname().release,
        "machine": os.uname().machine,
    }


def _installed(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"

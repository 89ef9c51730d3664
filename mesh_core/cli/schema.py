"""`hopmesh schema`: the configuration's JSON Schema."""

from __future__ import annotations

import json

import click

from mesh_core.config import json_schema


@click.command(epilog="Example: hopmesh schema > hopmesh.schema.json")
def schema() -> None:
    """Print the JSON Schema (2020-12) of the proxy configuration.

    An editor that knows YAML and JSON Schema completes and checks configuration files with it.
    """
    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))

"""`hopmesh validate`: whether configuration files and manifests are good, and all that is wrong with the others.

It asks no control plane. `mesh_core` has it for configuration files alone, where no control plane is installed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
import msgspec

from mesh_core.cli.validate import Verdict, finish, validate_options, verdict_on_file, verdict_on_text
from mesh_cp.cli.client import ClientError
from mesh_cp.cli.manifests import is_folder, read_manifests
from mesh_cp.cli.output import skipped_line
from mesh_cp.resources import load

# At the beginning of a line of YAML, or in an object of JSON: no key of a proxy's configuration is called so.
_MANIFEST = re.compile(rb"""^(?:- +)?["']?(?:apiVersion|kind)["']? *:|^\s*[{\[].{0,4096}?"(?:apiVersion|kind)"\s*:""",
                       re.MULTILINE | re.DOTALL)  # fmt: skip


@click.command(epilog="Example: hopmesh validate proxy.yaml mesh/")
@validate_options
@click.pass_context
def validate(ctx: click.Context, files: tuple[str, ...], output: str) -> None:
    """Check configuration files of proxies, and manifests; "-" is the standard input, a folder all manifests in it.

    What has an apiVersion and a kind is a manifest. Every fault of every file is listed, with line, column, field path
    and what would be right. The exit status is 0 if all are good, also with warnings, 1 if one has an error, 2 for
    wrong usage.
    """
    try:
        finish(ctx, [verdict for file in files for verdict in _verdicts(file)], output)
    except ClientError as error:
        click.echo(f"hopmesh: {error}", err=True)
        ctx.exit(1)


def _verdicts(file: str) -> Iterator[Verdict]:
    try:
        found = list(read_manifests(file))
    except OSError:
        # Whatever is the matter with it, it is told in the words of the other command.
        yield verdict_on_file(file)
        return
    for name, text in found:
        if is_folder(file) or _MANIFEST.search(text):
            yield _on_manifests(name, text)
        else:
            yield verdict_on_text(file, text, name)


def _on_manifests(name: str, text: bytes) -> Verdict:
    loaded = load(text, name)
    good = not loaded.errors and not loaded.omitted
    return Verdict(
        file=name,
        good=good,
        said=f"{name}: OK (resources: {len(loaded.resources)}, skipped: {len(loaded.skipped)})" if good else "",
        faults="\n".join([*map(skipped_line, loaded.skipped), *map(str, loaded.faults)]),
        details=msgspec.to_builtins(loaded.faults),
        omitted=loaded.omitted,
    )

"""What commands print: tables for people, YAML and JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from difflib import unified_diff
from typing import Any

import click
import msgspec

from mesh_core.config.escape import escaped
from mesh_cp.catalog import Change
from mesh_cp.catalog.records import Document
from mesh_cp.resources import Key, Skipped

output_option = click.option(
    "--output",
    "-o",
    type=click.Choice(["text", "yaml", "json"]),
    default="text",
    show_default=True,
    help="text for people; yaml or json: the whole reply of the control plane.",
)

CHANGE_HEADERS = ("CHANGE", "TIME", "BY", "ACTION", "CREATED", "CONFIGURED", "DELETED", "RESOURCES")


def print_table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Columns as wide as what stands in them, the last one as it comes."""
    texts = [list(headers), *([escaped(str(cell)) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in texts) for column in range(len(headers))]
    for row in texts:
        line = "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo(line.rstrip())


def skipped_line(skipped: Skipped) -> str:
    """What is said of a manifest that was passed over."""
    where = skipped.source if skipped.line is None else f"{skipped.source}:{skipped.line}"
    return f"{where}: skipped: {skipped}, which is of no kind of the mesh"


def print_reply(reply: Any, output: str) -> None:
    """A whole reply, as YAML or JSON."""
    plain = msgspec.to_builtins(reply)
    if output == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(plain), indent=2))
    else:
        click.echo(yaml_text(plain), nl=False)


def yaml_text(value: object) -> str:
    """A value as YAML, its keys in their order."""
    # Loaded here: half of the commands print none.
    import yaml  # type: ignore[import-untyped]  # noqa: PLC0415

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text: str = yaml.dump(value, Dumper=dumper, sort_keys=False, allow_unicode=True, width=120)
    return text


def difference(key: Key, before: Document | None, after: Document | None) -> str:
    """What is different between two documents, line by line, as `diff -u` shows it."""
    old, new = ([] if each is None else yaml_text(each).splitlines(keepends=True) for each in (before, after))
    old_name, new_name = ("/dev/null" if each is None else str(key) for each in (before, after))
    return "".join(unified_diff(old, new, old_name, new_name))


def change_row(change: Change) -> tuple[object, ...]:
    """A change as a row under `CHANGE_HEADERS`."""
    more = change.created + change.configured + change.deleted - len(change.keys)
    shown = ", ".join(str(key) for key in change.keys) + (f" and {more} more" if more else "")
    action = change.action if change.to is None else f"{change.action} to {change.to}"
    counts = (change.created, change.configured, change.deleted)
    return (change.number, local_time(change.time_ms), change.author, action, *counts, shown)


def local_time(time_ms: int) -> str:
    """A time since 1970 as the clock on the wall shows it, to the second."""
    return datetime.fromtimestamp(time_ms / 1000).astimezone().isoformat(" ", "seconds")

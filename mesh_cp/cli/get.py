"""`hopmesh get`: what was applied."""

from __future__ import annotations

from typing import NamedTuple

import click
import msgspec

from mesh_cp.api.messages import ItemReply, ItemsReply
from mesh_cp.cli.client import ApiCommand, Client, ClientError, ended_by_reader
from mesh_cp.cli.output import print_table, yaml_text


@click.command(cls=ApiCommand, epilog="Example: hopmesh get virtualservices -o yaml")
@click.argument("kind", required=False, default="")
@click.argument("name", required=False, default="")
@click.option("--namespace", "-n", default="", help="Only what is in this one. Default: all of them.")
@click.option(
    "--output", "-o", type=click.Choice(["text", "name", "yaml", "json"]), default="text", show_default=True,
    help="text: a table. name: a name a line. yaml, json: the documents, which can be applied again.",
)  # fmt: skip
@click.option("--watch", "-w", is_flag=True, help="Go on with changes as they come, until interrupted.")
@click.pass_context
def get(ctx: click.Context, *, kind: str, name: str, namespace: str, output: str, watch: bool) -> None:
    """List what was applied: all, those of a KIND, or one by KIND and NAME.

    Kinds are known by their names in any case, in the plural, and by kubectl's short ones (svc, vs, dr, se, we). The
    exit status is 1 if NAME is given and not there.
    """
    client: Client = ctx.obj
    reply = client.get("/v1/resources", ItemsReply, kind=kind, namespace=namespace, name=name)
    if name and not reply.items and not watch:
        raise ClientError(f"not there: {kind} {name}")
    if not reply.items and output == "text" and not watch:
        click.echo("nothing was applied yet" if not (kind or namespace) else "nothing of that sort", err=True)
        return
    _print(reply.items, output)
    if watch:
        shown = Shown(kind, namespace, name)
        ended_by_reader(lambda: _follow(client, reply.revision + 1, shown, output))


class Shown(NamedTuple):
    """What is asked for: a kind, a namespace, a name; empty for all."""

    kind: str
    namespace: str
    name: str


def _print(items: tuple[ItemReply, ...], output: str) -> None:
    if output == "text":
        rows = [(item.key.kind, item.key.namespace, item.key.name, item.revision, _origin(item)) for item in items]
        print_table(("KIND", "NAMESPACE", "NAME", "REVISION", "FROM"), rows)
    elif output == "name":
        for item in items:
            click.echo(str(item.key))
    elif output == "yaml":
        click.echo("---\n".join(yaml_text(item.document) for item in items), nl=False)
    else:
        documents = [item.document for item in items]
        whole = documents[0] if len(documents) == 1 else {"apiVersion": "v1", "kind": "List", "items": documents}
        click.echo(msgspec.json.format(msgspec.json.encode(whole), indent=2))


def _origin(item: ItemReply) -> str:
    return item.source if item.line is None else f"{item.source}:{item.line}"


def _follow(client: Client, first_revision: int, shown: Shown, output: str) -> None:
    for key, event in client.watch("/v1/watch", kind=shown.kind, **{"from": first_revision}):
        if (shown.namespace and key.namespace != shown.namespace) or (shown.name and key.name != shown.name):
            continue
        if output == "yaml":
            click.echo(f"---\n{yaml_text(event.document)}" if event.document else f"--- # {key} deleted")
        elif output == "json":
            click.echo(msgspec.json.encode(event))
        else:
            click.echo(f"{key} {'deleted' if event.document is None else f'at revision {event.revision}'}")

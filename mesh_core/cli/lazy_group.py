"""A group of commands that imports only the one which is invoked.

`hopmesh version` must not wait for the proxy's modules to load, nor fail because one of them cannot.
"""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

import click


class Lazy(NamedTuple):
    """Where a command is, as "module:attribute", and what the list of commands says about it.

    `extensible`: a further package that has the command too replaces it.
    """

    target: str
    summary: str
    extensible: bool = False


class LazyGroup(click.Group):
    """A click group made from a table of `Lazy` entries by name, and from that of a further package.

    `further` is where the other table is, as "module:attribute". It is looked at only for what the first does not
    have for itself, and need not be installed.
    """

    def __init__(self, *args: Any, lazy: dict[str, Lazy], further: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lazy = lazy
        self._further_target = further

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._all)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self._lazy.get(cmd_name)
        if entry is None or entry.extensible:
            entry = self._further.get(cmd_name, entry)
        if entry is None:
            return None
        command = _attribute(entry.target)
        if not isinstance(command, click.Command):
            raise TypeError(f"{entry.target} is not a click command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the tables, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in self._all.items()])

    @cached_property
    def _further(self) -> dict[str, Lazy]:
        package = self._further_target.partition(".")[0]
        table: dict[str, Lazy] = _attribute(self._further_target) if find_spec(package) is not None else {}
        return table

    @property
    def _all(self) -> dict[str, Lazy]:
        return {**self._lazy, **self._further}


def _attribute(target: str) -> Any:
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)

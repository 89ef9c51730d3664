"""The `hopmesh` command: one file per subcommand, each loaded only when it is invoked.

The control plane's are in `mesh_cp`, which is looked for by name and need not be there.
"""

import click

from mesh_core._version import __version__
from mesh_core.cli.lazy_group import Lazy, LazyGroup

COMMANDS = {
    "proxy": Lazy("mesh_core.cli.proxy:proxy", "Run a proxy."),
    "restart": Lazy("mesh_core.cli.restart:restart", "Have a new process take over from a running proxy."),
    "validate": Lazy("mesh_core.cli.validate:validate", "Check configuration files.", extensible=True),
    "schema": Lazy("mesh_core.cli.schema:schema", "Print the JSON Schema of the configuration."),
    "version": Lazy("mesh_core.cli.version:version", "Print the versions that matter in a bug report."),
}


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    further="mesh_cp.cli.commands:COMMANDS",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: hopmesh proxy --config proxy.yaml",
)
@click.version_option(__version__, prog_name="hopmesh")
def main() -> None:
    """A service mesh that installs with pip."""

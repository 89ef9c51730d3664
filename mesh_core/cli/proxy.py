"""`hopmesh proxy`: run one proxy."""

from __future__ import annotations

import os
import signal
import sys

import click

from mesh_core.config import ConfigError, load_file
from mesh_core.control import logs
from mesh_core.control.hot_restart.link import RestartError
from mesh_core.control.hot_restart.predecessor import Predecessor


@click.command(epilog="Example: hopmesh proxy --config proxy.yaml")
@click.option("--config", "-c", "path", required=True, metavar="FILE", help="The configuration to run, in YAML.")
@click.option(
    "--log-level",
    type=click.Choice(list(logs.LEVELS)),
    default="info",
    show_default=True,
    help="Log to standard error from this level on: for people on a terminal, as JSON lines elsewhere.",
)
def proxy(path: str, log_level: str) -> None:
    """Run a proxy until SIGTERM or SIGINT, then drain it.

    SIGHUP reads the configuration again without cutting a connection; a fault in it changes nothing. A second SIGTERM
    or SIGINT stops at once. SIGUSR1 reopens the access log. SIGUSR2 has a new process take over, as `hopmesh restart`
    does; the process that was started first stays, passes signals on and ends with the last one's exit status. The
    exit status is 1 if the configuration cannot be served.
    """
    _fill_standard_descriptors()
    # Until the loop hears it, a request to reload must not end the process; the file is being read anyway.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    predecessor = None
    try:
        predecessor = Predecessor.from_environment()
        config = load_file(path)
        logs.configure(log_level)
        # The loop and the compiled core are loaded only for a configuration that is good.
        import uvloop  # noqa: PLC0415

        from mesh_core.control.process import Process  # noqa: PLC0415

        async def run() -> int:
            return await Process(path, config, predecessor).run()

        sys.exit(uvloop.run(run()))
    except (ConfigError, RestartError) as error:
        if predecessor is not None:
            predecessor.failed(str(error))
        click.echo(str(error), err=True)
        sys.exit(1)


def _fill_standard_descriptors() -> None:
    """Open what whoever started us has closed, or the first sockets would be taken for standard streams."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", closefd=False)

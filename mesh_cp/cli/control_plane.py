"""`hopmesh control-plane`: run a control plane."""

from __future__ import annotations

import sys

import click
import msgspec

from mesh_core.config import ConfigError
from mesh_core.config.faults import FaultList, Hint, PathStep
from mesh_core.config.wording import path_text
from mesh_core.control import logs
from mesh_cp.settings import Settings, check_settings, load_settings


@click.command("control-plane", epilog="Example: hopmesh control-plane --data-dir /var/lib/hopmesh")
@click.option("--config", "-c", "path", metavar="FILE", help="The settings, in YAML. Default: those of every field.")
@click.option("--listen", metavar="ADDRESS", help="Where the API listens, in place of api.address.")
@click.option("--channel", metavar="ADDRESS", help="Where proxies connect, in place of channel.address.")
@click.option("--data-dir", metavar="DIR", help="The folder of the store, in place of data_dir.")
@click.option(
    "--log-level",
    type=click.Choice(list(logs.LEVELS)),
    default="info",
    show_default=True,
    help="Log to standard error from this level on: for people on a terminal, as JSON lines elsewhere.",
)
def control_plane(
    path: str | None, listen: str | None, channel: str | None, data_dir: str | None, log_level: str
) -> None:
    """Run a control plane until SIGTERM or SIGINT.

    A change is answered once it is on the disk: neither kill -9 nor, on a disk that keeps what it has synced, a power
    cut loses it. The exit status is 1 if the settings or the store cannot be used.
    """
    try:
        settings, name = _settings(path, listen, channel, data_dir)
        logs.configure(log_level)
        # Loaded only for settings that are good.
        import uvloop  # noqa: PLC0415

        from mesh_cp.process import ControlPlane  # noqa: PLC0415
        from mesh_cp.store import StoreOpenError  # noqa: PLC0415

        try:
            uvloop.run(ControlPlane(settings, name).run())
        except StoreOpenError as error:
            click.echo(f"hopmesh: {error}", err=True)
            sys.exit(1)
    except ConfigError as error:
        click.echo(str(error), err=True)
        sys.exit(1)


def _settings(
    path: str | None, listen: str | None, channel: str | None, data_dir: str | None
) -> tuple[Settings, str]:
    """The file's, with what the command line says instead; and what faults call them. Raises ConfigError."""
    settings = Settings() if path is None else load_settings(path)
    name = "the command line" if path is None else path
    if listen is not None:
        api = msgspec.structs.replace(settings.api, address=listen)
        settings = msgspec.structs.replace(settings, api=api)
    if channel is not None:
        settings = msgspec.structs.replace(
            settings, channel=msgspec.structs.replace(settings.channel, address=channel)
        )
    if data_dir is not None:
        settings = msgspec.structs.replace(settings, data_dir=data_dir)
    faults = FaultList()

    def report(at: list[PathStep], message: str, hint: Hint) -> None:
        faults.add(path_text(at), None, message, hint)

    check_settings(settings, report)  # type: ignore[arg-type]
    faults.raise_if_any(name)
    return settings, name
